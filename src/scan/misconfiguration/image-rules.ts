import { finding, type Rule } from "./rule.ts"
import { isFloating, isRoot } from "./container/container-rules.ts"
import { programOf, shellCommands } from "./shell-commands.ts"
import { printable } from "../../base/printable.ts"
import type { HistoryEntry, ImageConfig } from "../../spec/oci-image.ts"
import type { Misconfiguration } from "../scan.ts"

const RULES = {
  user: {
    id: "CIS-4.1",
    aliases: ["DS002"],
    title: "image runs as root",
    severity: "high",
    resolution: "end the Dockerfile with USER and the name of an ordinary user",
  },
  health: {
    id: "CIS-4.6",
    aliases: ["DS026"],
    title: "no health check",
    severity: "low",
    resolution: "add HEALTHCHECK, so that a program that hangs is noticed",
  },
  update: {
    id: "CIS-4.7",
    aliases: ["DS017"],
    title: "update alone in a layer",
    severity: "medium",
    resolution: "update and install in one RUN: else the list of packages comes from an old cache",
  },
  add: {
    id: "CIS-4.9",
    aliases: ["DS005"],
    title: "ADD brings a file from a URL",
    severity: "medium",
    resolution: "use ADD with a checksum, or COPY of a file that was checked",
  },
  secret: {
    id: "CIS-4.10",
    aliases: ["DS031"],
    title: "variable that holds a secret by its name",
    severity: "high",
    resolution: "give secrets as files when the container runs, and use RUN's secret mounts in builds",
  },
  ssh: {
    id: "SKF001",
    aliases: ["DS004", "CIS-5.7"],
    title: "port 22 exposed",
    severity: "medium",
    resolution: "remove EXPOSE 22: enter containers by exec, without an SSH server",
  },
  latest: {
    id: "SKF002",
    aliases: ["CIS-5.28"],
    title: "image has no version in its name",
    severity: "low",
    resolution: "name a version or a digest: the same name is another image tomorrow",
  },
  path: {
    id: "SKF003",
    title: "programs are looked for where anybody may put one",
    severity: "medium",
    resolution: "take the directory out of PATH",
  },
  privilegedPort: {
    id: "SKF004",
    title: "a service of administration is exposed",
    severity: "medium",
    resolution: "remove EXPOSE: it sends passwords in clear text, or gives the machine away",
  },
} as const satisfies Record<string, Rule>

/** Telnet, FTP, rlogin, rsh, SNMP, and the engine without a key. */
const CLEAR_TEXT_PORTS = new Set([21, 23, 512, 513, 514, 161, 2375])
const SECRET_NAME =
  /(?:^|_)(?:PASSWORD|PASSWD|PWD|PASS|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|SECRET_?KEY|PRIVATE_?KEY|CREDENTIALS?)(?:_|$)/i
/** Names that tell of something else. */
const NO_SECRET_NAME =
  /(?:_FILE|_PATH|_DIR|_URL|_URI|_ID|_NAME|_LENGTH|_TTL|_TIMEOUT|_POLICY|_ENABLED|_ISSUER|_HEADER|_TYPE)$|^(?:OLD)?PWD$|GPG_KEY|^ALLOW_EMPTY/i

/** What the configuration of an image tells. `names`: as people call it; empty: it has none. */
export function checkImageConfig(
  { config = {}, history = [] }: ImageConfig,
  names: readonly string[],
): Misconfiguration[] {
  const found: Misconfiguration[] = []
  const add = (rule: Rule, message: string) => found.push(finding(rule, "image", printable(message)))
  const { User: user = "", ExposedPorts: exposed = {}, Env: env = [], Healthcheck: check } = config
  if (isRoot(user))
    add(RULES.user, user === "" ? "the image names no user, so it runs as root" : `the user is "${user}"`)
  if (check?.Test === undefined || check.Test.length === 0 || check.Test[0] === "NONE")
    add(RULES.health, "the image has no HEALTHCHECK")
  for (const port of Object.keys(exposed).map((text) => Number.parseInt(text, 10))) {
    if (port === 22) add(RULES.ssh, "the image exposes port 22")
    if (CLEAR_TEXT_PORTS.has(port)) add(RULES.privilegedPort, `the image exposes port ${port}`)
  }
  for (const pair of env) checkVariable(pair, add)
  for (const entry of history) checkHistory(entry, add)
  const [name] = names
  if (name !== undefined && names.every(isFloating)) add(RULES.latest, `the name is ${name}`)
  return found
}

function checkVariable(pair: string, add: (rule: Rule, message: string) => void): void {
  const [name = "", value = ""] = split(pair)
  if (name === "PATH") {
    for (const directory of value.split(":"))
      if (
        !directory.startsWith("/") ||
        directory === "/tmp" ||
        directory.startsWith("/tmp/") ||
        directory === "/var/tmp"
      )
        add(RULES.path, `PATH has "${directory}"`)
  } else if (isSecretVariable(name, value)) add(RULES.secret, `ENV ${name}=${"*".repeat(8)}`)
}

/** Whether a variable holds a secret by its name, and says it itself. */
export function isSecretVariable(name: string, value: string): boolean {
  return (
    SECRET_NAME.test(name) &&
    !NO_SECRET_NAME.test(name) &&
    value.length > 3 &&
    !/^(?:\/|\$|true$|false$|none$)/i.test(value)
  )
}

function split(pair: string): [string, string] {
  const equals = pair.indexOf("=")
  return equals < 0 ? [pair, ""] : [pair.slice(0, equals), pair.slice(equals + 1)]
}

const MANAGERS = new Set(["apt-get", "apt", "yum", "dnf", "apk", "zypper"])

function checkHistory({ created_by: line = "" }: HistoryEntry, add: (rule: Rule, message: string) => void): void {
  const { instruction, text } = instructionOf(line)
  if (instruction === "ADD" && /\bhttps?:\/\//.test(text) && !text.includes("--checksum"))
    add(RULES.add, `ADD ${text.slice(0, 200)}`)
  if (instruction !== "RUN") return
  const calls = shellCommands(text).map(programOf)
  const updates = calls.filter(({ program, args }) => MANAGERS.has(program) && args[0] === "update")
  const others = calls.filter(
    ({ program, args }) =>
      MANAGERS.has(program) &&
      /^(?:.*install|add|upgrade|dist-upgrade)$/.test(args.find((word) => !word.startsWith("-")) ?? ""),
  )
  if (updates.length > 0 && others.length === 0) add(RULES.update, `RUN ${text.slice(0, 200)}`)
}

/** The history's line as the Dockerfile had it: `/bin/sh -c #(nop)  ADD …`, `RUN /bin/sh -c … # buildkit`, `|1 X=y /bin/sh -c …`. */
export function instructionOf(line: string): { instruction: string; text: string } {
  const plain = line.replace(/ # buildkit$/, "").trim()
  const [nop, word = "", rest = ""] = /^\/bin\/sh -c #\(nop\)\s*([A-Z]+)\s+(.*)$/s.exec(plain) ?? []
  if (nop !== undefined) return { instruction: word, text: rest }
  const [named, instruction = "", text = ""] = /^([A-Z]{3,11})\s+(.*)$/s.exec(plain) ?? []
  const script = (named === undefined ? plain : text)
    .replace(/^\|\d+ .{0,4000}?(?=\/bin\/)/s, "")
    .replace(/^\/bin\/(?:ba|a)?sh (?:-\w+ )*-\w*c /, "")
  return { instruction: named === undefined ? (script === plain ? "" : "RUN") : instruction, text: script }
}
