import { formatEgressRule } from "../../spec/docker/egress-rule.ts"
import { fill, type Language, type Values } from "../../base/messages.ts"
import { formatBinarySize } from "../../base/sizes.ts"
import { endedText } from "../../docker/ended-text.ts"
import { shellWord, type ContainerExplanation, type MountFact, type NamespaceFact } from "../../explain/explain.ts"
import { displayWidth } from "../output/columns.ts"
import type { container as words } from "./en/container.ts"
import type { Paper } from "./paper.ts"

const CATALOGUES = {
  en: async () => (await import("./en/container.ts")).container,
  fr: async () => (await import("./fr/container.ts")).container,
}

type Key = keyof typeof words
type Say = (key: Key, values?: Values) => string
type Live = NonNullable<ContainerExplanation["live"]>

/** Puts all that is known of a container on paper, in the order of its making. */
export async function containerPage(paper: Paper, container: ContainerExplanation, language: Language): Promise<void> {
  const catalogue: Readonly<Record<Key, string>> = await CATALOGUES[language]()
  const say: Say = (key, values) => fill(catalogue[key], values)
  const { live, ending } = container
  paper.title(say("title", { name: container.name, program: container.argv.join(" ") }))
  if (ending !== undefined && live === undefined) paper.prose(say("ended", { why: endedText(ending, language) }))
  if (live === undefined) return recordPage(paper, container, say)
  paper.prose(say("running", { pid: live.pid, image: container.image }))
  namespaces(paper, live, say)
  cgroup(paper, live, say)
  layers(paper, live, say)
  mounts(paper, live, say)
  owners(paper, live, say)
  network(paper, container, live, say)
  ids(paper, live, say)
  rights(paper, live, say)
  limits(paper, live, say)
}

function recordPage(paper: Paper, { argv, image, options, mounts: asked }: ContainerExplanation, say: Say): void {
  paper.prose(say("notRunning"))
  paper.heading(say("record.title"))
  const { memoryBytes } = options.resources
  entries(paper, [
    [say("record.command"), argv.join(" ")],
    [say("record.image"), image],
    [say("record.network"), options.network.kind === "bridge" ? options.network.name : options.network.kind],
    [
      say("record.mounts"),
      asked.map(({ source, target }) => `${source || "tmpfs"} → ${target}`).join(", ") || say("record.none"),
    ],
    [say("record.memory"), memoryBytes === undefined ? say("record.none") : formatBinarySize(memoryBytes)],
  ])
}

function namespaces(paper: Paper, { namespaces: facts, process }: Live, say: Say): void {
  paper.heading(say("namespaces.title"))
  paper.prose(say("namespaces.why"), 2)
  const isRootless = process.uidMap[0]?.outside !== 0
  const owner = (fact: NamespaceFact): string => {
    if (fact.owner === "shared") return say("namespaces.shared", { names: fact.sharedWith.join(", ") })
    if (fact.owner === "container") return say("namespaces.own")
    return say(isRootless && fact.kind === "user" ? "namespaces.rootless" : "namespaces.host")
  }
  for (const fact of facts) {
    const { kind, since, inode, shell } = fact
    paper.entry(`${kind} (${say(`kind.${kind}`)})`, say("namespaces.since", { since, inode, owner: owner(fact) }), 22)
    if (shell !== "") paper.command(shell)
  }
}

function cgroup(paper: Paper, { cgroup: facts }: Live, say: Say): void {
  paper.heading(say("cgroup.title"))
  const { files, version, directories } = facts
  if (!directories.some(({ path }) => /[0-9a-f]{64}/.test(path))) return paper.prose(say("cgroup.none"), 2)
  paper.prose(say("cgroup.why", { version }), 2)
  const id = /[0-9a-f]{64}/.exec(directories.map(({ path }) => path).join(" "))?.[0] ?? ""
  paper.command(`ID=${id}`)
  for (const { path, value } of files) {
    const file = path.replace("devices.list", "devices.allow")
    // the last names of a path may be those of groups that a program in the container has made
    const word = shellWord(file) === file ? file.replace(id, "$ID") : shellWord(file)
    for (const line of value.split("\n")) paper.command(`echo '${line.replaceAll("'", `'\\''`)}' > ${word}`)
  }
}

function layers(paper: Paper, { layers: { type, lower, upper } }: Live, say: Say): void {
  paper.heading(say("layers.title"))
  paper.prose(say("layers.why", { type }), 2)
  entries(paper, [
    ...(upper === undefined ? [] : [[say("layers.upper"), upper] as const]),
    ...lower.map((path, index) => [say("layers.lower", { index: index + 1 }), path] as const),
  ])
}

/** Covers and read-only binds of the kernel's own trees tell nothing one by one. */
const isCover = ({ target, type }: MountFact): boolean =>
  (/^\/(?:proc|sys)\//.test(target) && type !== "cgroup2" && target !== "/sys/fs/cgroup") ||
  target.startsWith("/sys/fs/cgroup/")

function mounts(paper: Paper, { mounts: facts }: Live, say: Say): void {
  paper.heading(say("mounts.title"))
  const shown = facts.filter((mount) => !isCover(mount))
  paper.prose(say("mounts.why", { count: facts.length, hidden: facts.length - shown.length }), 2)
  entries(
    paper,
    shown.map(({ target, type, source, root, options }) => [
      target,
      `${type} ${root === "/" ? source : `${source}${root}`} (${options.join(",")})`,
    ]),
  )
  const covers = facts.filter(isCover).map(({ target }) => target)
  if (covers.length > 0) paper.prose(say("mounts.covers", { targets: covers.join(" ") }), 2)
}

/** Volumes and binds: the most common question is why a program may not write there. */
function owners(paper: Paper, { access }: Live, say: Say): void {
  if (access.length === 0) return
  paper.heading(say("owners.title"))
  paper.prose(say("owners.why"), 2)
  for (const { target, source, mode, owner, program, isReadOnly, canWrite } of access) {
    const values = { source, mode: mode.toString(8).padStart(4, "0"), ownerHostUid: owner.hostUid }
    const whose =
      owner.uid === undefined ? say("owners.nobody", values) : say("owners.owner", { ...values, ownerUid: owner.uid })
    const who = say("owners.program", { uid: program.uid, hostUid: program.hostUid })
    const verdict = say(canWrite ? "owners.writes" : isReadOnly ? "owners.readOnly" : "owners.refused")
    paper.entry(target, `${whose} ${who} ${verdict}`, 22)
  }
}

function network(paper: Paper, { options }: ContainerExplanation, live: Live, say: Say): void {
  paper.heading(say("network.title"))
  const seen = live.network
  if (seen === undefined) {
    const { network: mode } = options
    const container = mode.kind === "container" ? mode.container : ""
    const key = `network.mode.${mode.kind}` as Key
    return paper.prose(say("network.none", { reason: say(key, { container }) }), 2)
  }
  entries(paper, [
    ...seen.interfaces.map(({ name, macAddress, addresses, hostEnd }) => {
      const values = { mac: macAddress, host: hostEnd?.name ?? "", bridge: hostEnd?.bridge ?? "" }
      const where = say(hostEnd === undefined ? "network.plain" : "network.cable", values)
      return [name, [addresses.join(" "), where].filter(Boolean).join(", ")] as const
    }),
    ...live.routes.map(
      ({ to, via, interface: at }) =>
        [
          to,
          via === undefined ? say("network.direct", { interface: at }) : say("network.route", { via, interface: at }),
        ] as const,
    ),
    ...live.ports.map(
      ({ hostAddress = "", hostPort, containerPort, protocol }) =>
        [
          `-p ${hostPort}:${containerPort}`,
          say("network.port", { host: `${hostAddress || "*"}:${hostPort}`, port: `${containerPort}/${protocol}` }),
        ] as const,
    ),
    ...(options.egress === undefined ? [] : [["--allow-net", say("network.allowed")] as const]),
    ...(options.egress?.allow ?? []).map((rule) => ["", formatEgressRule(rule)] as const),
    ...live.nameServers.map((server) => [`${server}:53`, say("network.names")] as const),
  ])
  paper.prose(say("network.rules"), 2)
  for (const family of ["inet", "bridge"]) paper.command(`nft list table ${family} ${seen.table}`)
  for (const { family, table, name, element } of seen.elements) {
    paper.prose(say("network.element", { family, table, name }), 2)
    paper.command(`nft add element ${family} ${table} ${name} '{ ${element} }'`)
  }
}

const ALL_IDS = 2 ** 32 - 1

function ids(paper: Paper, { process: { uid, gid, uidMap, gidMap } }: Live, say: Say): void {
  paper.heading(say("ids.title"))
  paper.prose(say("ids.why", { uid, gid }), 2)
  const lines = [
    ["uid", uidMap],
    ["gid", gidMap],
  ] as const
  entries(
    paper,
    lines.flatMap(([name, map]) =>
      map.map(({ inside, outside, count }) => [
        `${name} ${inside}`,
        count === ALL_IDS && outside === 0 ? say("ids.same") : say("ids.line", { count, outside }),
      ]),
    ),
  )
}

function rights(paper: Paper, { process, seccomp, securityModules }: Live, say: Say): void {
  paper.heading(say("rights.title"))
  const { capabilities, noNewPrivileges, label } = process
  const { mode, filters } = process.seccomp
  const names = (set: readonly string[]): string =>
    set.length === 0
      ? say("rights.none")
      : set.length > 35
        ? say("rights.all", { count: set.length })
        : set.map((name) => name.replace("CAP_", "").toLowerCase()).join(" ")
  entries(paper, [
    ...Object.entries(capabilities).map(([name, set]) => [name, names(set)] as const),
    ["no_new_privs", say(noNewPrivileges ? "rights.nnp.yes" : "rights.nnp.no")],
    [
      "seccomp",
      mode === "disabled"
        ? say("rights.noSeccomp")
        : seccomp === undefined
          ? say("rights.seccompPlain", { filters })
          : say("rights.seccomp", {
              filters,
              rules: seccomp.rules,
              calls: seccomp.allowedCalls,
              action: seccomp.defaultAction,
            }),
    ],
    [
      "LSM",
      label === undefined
        ? say("rights.noLabel", { modules: securityModules.join(", ") || "-" })
        : say("rights.label", { label }),
    ],
  ])
}

function limits(paper: Paper, { process: { rlimits, oomScore, oomScoreAdj } }: Live, say: Say): void {
  paper.heading(say("limits.title"))
  const bounded = rlimits.filter(({ soft, hard }) => soft !== "unlimited" || hard !== "unlimited")
  entries(paper, [
    ...bounded.map(({ name, soft, hard, units }) => [name, say("limits.of", { soft, hard, units })] as const),
    ["OOM", say("limits.oom", { score: oomScore, adj: oomScoreAdj })],
  ])
}

const WIDEST_TERM = 24

function entries(paper: Paper, all: readonly (readonly [term: string, text: string])[]): void {
  const width = Math.min(WIDEST_TERM, Math.max(0, ...all.map(([term]) => displayWidth(term))))
  for (const [term, text] of all) paper.entry(term, text, width)
}
