import { globalArguments, withArguments } from "./base-names.ts"
import { callsOf, hasCacheMount, isCall, isCleaned, runText, type Call } from "./package-managers.ts"
import { DOCKERFILE_RULES } from "./dockerfile-rules.ts"
import { secretUses } from "./secret-uses.ts"
import { finding } from "../rule.ts"
import type {
  Dockerfile,
  Instruction,
  InstructionOf,
  RunInstruction,
  SourceRange,
  Stage,
} from "../../../dockerfile/dockerfile.ts"
import type { Misconfiguration } from "../../scan.ts"

type Add = (rule: number, message: string, source?: SourceRange) => void

/**
 * The rules DS001 to DS031 on a Dockerfile. Where Trivy looks at all stages together (DS002) the last one counts, with those that it stands
 * on; what a cache mount takes is in no layer (DS015, 019, 020, 025, 027). `path`: where the file is, absolute in the subject.
 */
export function checkDockerfileRules(dockerfile: Dockerfile, path: string): Misconfiguration[] {
  const found: Misconfiguration[] = []
  const add: Add = (number, message, source) => {
    const rule = DOCKERFILE_RULES.get(number)
    if (rule === undefined) return
    const place = { path, ...(source === undefined ? {} : { startLine: source.start, endLine: source.end }) }
    found.push(finding(rule, "dockerfile", message, place))
  }
  checkStages(dockerfile, add)
  checkUser(dockerfile, add)
  for (const [index, stage] of dockerfile.stages.entries()) {
    checkRepeated(stage, add)
    for (const instruction of stage.instructions) checkInstruction(instruction, { stage, index }, add)
  }
  checkDownloads(dockerfile, add)
  const last = dockerfile.stages.at(-1)
  if (last !== undefined) {
    if (!all(dockerfile).some(({ kind }) => kind === "healthcheck"))
      add(26, "Add HEALTHCHECK instruction in the Dockerfile")
    for (const { message, source } of secretUses(last)) add(31, message, source)
  }
  return found.toSorted((a, b) => (a.place.startLine ?? 0) - (b.place.startLine ?? 0))
}

function all({ stages }: Dockerfile): Instruction[] {
  return stages.flatMap(({ instructions }) => instructions)
}

function checkStages(dockerfile: Dockerfile, add: Add): void {
  const args = globalArguments(dockerfile)
  const names = new Set<string>()
  for (const { name, base, source, written } of dockerfile.stages) {
    const reference = withArguments(base, args)
    if (
      reference !== undefined &&
      reference !== "scratch" &&
      !names.has(reference.toLowerCase()) &&
      isLatest(reference)
    )
      add(1, `Specify a tag in the 'FROM' statement for image '${imageOf(reference)}'`, source)
    if (name === undefined) continue
    if (names.has(name)) add(12, `Duplicate aliases '${written.name ?? name}' are found in different FROMs`, source)
    names.add(name)
  }
}

function imageOf(reference: string): string {
  const colon = reference.lastIndexOf(":")
  return colon > reference.lastIndexOf("/") ? reference.slice(0, colon) : reference
}

function isLatest(reference: string): boolean {
  if (reference.includes("@")) return false
  const image = imageOf(reference)
  return image === reference || reference.slice(image.length) === ":latest"
}

/** The last USER of the stage that becomes the image, or of those that it stands on. */
function checkUser({ stages }: Dockerfile, add: Add): void {
  let index = stages.length - 1
  for (let stage = stages[index]; stage !== undefined; stage = stages[index]) {
    const user = stage.instructions.findLast((one) => one.kind === "user")
    if (user !== undefined) {
      const [name = ""] = user.kind === "user" ? user.value.split(":", 1) : []
      if (name === "root" || /^0+$/.test(name))
        add(2, "Last USER command in the Dockerfile should not be 'root'", user.source)
      return
    }
    const base = stage.base.toLowerCase()
    index = stages.findLastIndex(({ name }, at) => at < index && name === base)
  }
  add(2, "Specify at least 1 USER command in the Dockerfile with non-root user as argument")
}

const REPEATED = { entrypoint: 7, cmd: 16, healthcheck: 23 } as const

function checkRepeated({ instructions }: Stage, add: Add): void {
  for (const [kind, rule] of Object.entries(REPEATED)) {
    const same = instructions.filter((one) => one.kind === kind)
    if (same.length > 1)
      add(rule, `There are ${same.length} duplicate ${kind.toUpperCase()} instructions`, same[1]?.source)
  }
}

function checkInstruction(instruction: Instruction, at: { stage: Stage; index: number }, add: Add): void {
  const { source } = instruction
  switch (instruction.kind) {
    case "expose":
      return checkPorts(instruction, add)
    case "add":
      return checkAdd(instruction, add)
    case "copy":
      return checkCopy(instruction, at, add)
    case "workdir":
      return checkWorkdir(instruction.value, source, add)
    case "maintainer":
      return add(22, `MAINTAINER should not be used: 'MAINTAINER ${instruction.value.slice(0, 200)}'`, source)
    case "run":
      return checkRun(instruction, add)
  }
}

function checkPorts({ ports, source }: InstructionOf<"expose">, add: Add): void {
  for (const port of ports) {
    const bounds = (port.split("/", 1)[0] ?? "").split("-").map(Number)
    if (bounds.includes(22)) add(4, "Port 22 should not be exposed in the Dockerfile", source)
    for (const bound of bounds)
      if (bound > 65_535) add(8, `'EXPOSE' contains port which is out of range [0, 65535]: ${bound}`, source)
  }
}

function checkAdd({ sources, target, source, documents }: InstructionOf<"add">, add: Add): void {
  const words = [...sources, target].join(" ")
  const isNeeded = [".tar", ".tgz", "http://", "https://", "git@", "ssh://", ".git"].some((part) =>
    words.includes(part),
  )
  if (!isNeeded && documents.length === 0)
    add(5, `Consider using 'COPY ${words}' command instead of 'ADD ${words}'`, source)
}

function checkCopy(
  { sources, documents, target, from, source }: InstructionOf<"copy">,
  { stage, index }: { stage: Stage; index: number },
  add: Add,
): void {
  if (from !== "" && (from.toLowerCase() === stage.name || from === String(index)))
    add(
      6,
      `'COPY --from' should not mention current alias '${from}' since it is impossible to copy from itself`,
      source,
    )
  if (sources.length + documents.length > 1 && !target.endsWith("/") && target !== "." && target !== "..")
    add(11, `Slash is expected at the end of COPY command argument '${target}'`, source)
}

const SYSTEM_DIRECTORIES = ["/proc", "/boot", "/dev", "/initrd", "/lost+found", "/sys"]

function checkWorkdir(value: string, source: SourceRange, add: Add): void {
  if (!/^(?:\/|[A-Za-z]:[\\/]|\$)/.test(value)) add(9, `WORKDIR path '${value}' should be absolute`, source)
  if (SYSTEM_DIRECTORIES.some((directory) => value === directory || value.startsWith(`${directory}/`)))
    add(30, `WORKDIR path '${value}' should not mount system directories`, source)
}

interface Manager {
  rule: number
  programs: readonly string[]
  installs: readonly string[]
  cleans(call: Call): boolean
}

const cleansAll = ({ args }: Call) => args.includes("clean") && args.includes("all")
const MANAGERS: readonly Manager[] = [
  { rule: 15, programs: ["yum"], installs: ["install"], cleans: cleansAll },
  {
    rule: 19,
    programs: ["dnf"],
    installs: ["install", "in", "reinstall", "rei", "install-n", "install-na", "install-nevra"],
    cleans: cleansAll,
  },
  {
    rule: 20,
    programs: ["zypper"],
    installs: ["in", "install", "remove", "rm", "source-install", "si", "patch"],
    cleans: ({ args }) => args.includes("clean") || args.includes("cc"),
  },
  { rule: 27, programs: ["microdnf"], installs: ["install", "in"], cleans: cleansAll },
]
const UPDATERS: readonly (readonly string[])[] = [["apt-get", "apt"], ["yum"], ["apk"], ["dnf"], ["zypper"]]
const INSTALLS = ["upgrade", "install", "source-install", "reinstall", "groupinstall", "localinstall", "add"]

function checkRun(run: RunInstruction, add: Add): void {
  const { source } = run
  const calls = callsOf(run)
  const text = shortened(runText(run))
  if (/(?:^|[\s;&|(])sudo(?:\s|$)/.test(text)) add(10, "Using 'sudo' in the Dockerfile should be avoided", source)
  if (run.command.shell && calls.some(({ program, args }) => program === "cd" && args.length > 0))
    add(13, `RUN should not be used to change directory: '${text}'. Use 'WORKDIR' statement instead.`, source)
  for (const updater of UPDATERS) {
    const update = calls.findIndex((call) => isCall(call, updater, ["update", "up"]))
    const install = calls.findLastIndex((call) => isCall(call, updater, INSTALLS))
    if (update >= 0 && install <= update)
      add(
        17,
        `'${updater[0]} update' should always be followed by '${updater[0]} install' in the same RUN statement`,
        source,
      )
  }
  if (!hasCacheMount(run)) checkCaches(calls, text, source, add)
  for (const { program, args } of calls) {
    if (program !== "apt-get" && program !== "apt") continue
    if (args.includes("dist-upgrade")) add(24, `'${program} dist-upgrade' should not be used in the Dockerfile`, source)
    if (program !== "apt-get" || !args.includes("install")) continue
    if (!args.some(isYes)) add(21, `'-y' flag is missed: '${text}'`, source)
    if (
      !args.some((word) => word === "--no-install-recommends" || /^APT::Install-Recommends=(?:false|0|no)/i.test(word))
    )
      add(29, `'--no-install-recommends' flag is missed: '${text}'`, source)
  }
}

function checkCaches(calls: readonly Call[], text: string, source: SourceRange, add: Add): void {
  for (const { rule, programs, installs, cleans } of MANAGERS) {
    const isInstall = (call: Call) => isCall(call, programs, installs)
    const isClean = (call: Call) => programs.includes(call.program) && cleans(call)
    if (calls.some(isInstall) && !isCleaned(calls, isInstall, isClean))
      add(rule, `'${programs[0]} clean${rule === 20 ? "" : " all"}' is missed: ${text}`, source)
  }
  if (calls.some((call) => isCall(call, ["apk"], ["add"]) && !call.args.includes("--no-cache")))
    add(25, `'--no-cache' is missed: ${text}`, source)
}

// apt-get(8): -qq implies -y
function isYes(word: string): boolean {
  return word === "--yes" || word === "--assume-yes" || /^-(?:[A-Za-z]*y[A-Za-z]*|qq+|q=2)$/.test(word)
}

function checkDownloads(dockerfile: Dockerfile, add: Add): void {
  const runs = all(dockerfile).filter((one) => one.kind === "run")
  const uses = (program: string) => runs.find((run) => callsOf(run).some((call) => call.program === program))
  const [wget, curl] = [uses("wget"), uses("curl")]
  if (wget !== undefined && curl !== undefined) add(14, "Shouldn't use both curl and wget", wget.source)
}

function shortened(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim()
  return line.length > 300 ? `${line.slice(0, 299)}…` : line
}
