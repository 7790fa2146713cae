/** What weakens the isolation of a container, and how much. */
import { DEFAULT_CAPABILITIES } from "../spec/capabilities.ts"
import { rootlessUid } from "../sys/fs/paths.ts"
import type { ContainerExplanation, LiveExplanation } from "./container-explanation.ts"

/** How much of the host it opens: all of it, a way towards it, a little. */
export type Severity = "high" | "medium" | "low"

/** What there is to find. */
export type FindingKey =
  | "privileged"
  | "dangerousCapability"
  | "addedCapability"
  | "seccompOff"
  | "hostPid"
  | "hostNet"
  | "hostIpc"
  | "hostUts"
  | "hostCgroup"
  | "hostUser"
  | "socket"
  | "hostRoot"
  | "writableBind"
  | "device"
  | "rootUser"
  | "newPrivileges"
  | "noPidsLimit"
  | "noMemoryLimit"
  | "writableRoot"
  | "openPort"
  | "secretInEnvironment"
  | "unmasked"

/** One of them. */
export interface SecurityFinding {
  key: FindingKey
  severity: Severity
  /** What it is about: a path, a capability, a port. */
  subject: string
}

/** All that was found, with the mark that it makes. */
export interface SecurityGrade {
  container: string
  /** 100 is a container that has lost nothing. */
  score: number
  grade: "A" | "B" | "C" | "D" | "E" | "F"
  /** Looked at in the kernel; false: from the record alone, as it does not run. */
  isLive: boolean
  /** The worst first. */
  findings: readonly SecurityFinding[]
}

const COST: Record<Severity, number> = { high: 30, medium: 10, low: 2 }
/** All of them at once. */
const PRIVILEGED_COST = 70
/** With any of these a program has the host, or reaches into other containers. */
const DANGEROUS = new Set(
  "SYS_ADMIN SYS_MODULE SYS_PTRACE SYS_RAWIO SYS_BOOT SYS_TIME DAC_READ_SEARCH NET_ADMIN BPF PERFMON SYSLOG MAC_ADMIN MAC_OVERRIDE CHECKPOINT_RESTORE"
    .split(" ")
    .map((name) => `CAP_${name}`),
)
const SOCKET = /(?:docker|podman|containerd|crio|skiff|buildkitd)[\w-]*\.sock$/
/** Whoever writes there, rules the host. */
const RULING =
  /^\/(?:$|bin|boot|dev|etc|home|lib|lib64|opt|proc|root|run|sbin|srv|sys|usr|var)(?:\/(?:lib|run|log))?\/?$/
const SECRET_NAME = /(?:PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY|CREDENTIALS?)$/i

/** Looks at a container's explanation. Reads the limit of processes from its control group, else pure. */
export function gradeSecurity(container: ContainerExplanation): SecurityGrade {
  const { live } = container
  const found = [
    ...privileges(container),
    ...(live === undefined ? askedNamespaces(container) : namespaces(live)),
    ...mounts(container),
    ...limits(container),
    ...other(container),
  ].toSorted((a, b) => COST[b.severity] - COST[a.severity])
  const score = Math.max(
    0,
    100 - found.reduce((sum, { key, severity }) => sum + (key === "privileged" ? PRIVILEGED_COST : COST[severity]), 0),
  )
  return { container: container.name, score, grade: gradeOf(score), isLive: live !== undefined, findings: found }
}

function gradeOf(score: number): SecurityGrade["grade"] {
  const steps = [
    [90, "A"],
    [75, "B"],
    [60, "C"],
    [40, "D"],
    [20, "E"],
  ] as const
  return steps.find(([least]) => score >= least)?.[1] ?? "F"
}

function finding(key: FindingKey, severity: Severity, subject = ""): SecurityFinding {
  return { key, severity, subject }
}

function privileges({ options, live }: ContainerExplanation): SecurityFinding[] {
  const asked = options.capAdd.map((name) => `CAP_${name.toUpperCase().replace(/^CAP_/, "")}`)
  const held = live?.process.capabilities.bounding ?? [...DEFAULT_CAPABILITIES, ...asked]
  const added = held.filter((name) => !DEFAULT_CAPABILITIES.includes(name))
  const isFiltered =
    live === undefined
      ? !options.privileged && !options.securityOptions.some((one) => /^seccomp[=:]unconfined$/.test(one))
      : live.process.seccomp.mode !== "disabled"
  return [
    ...(options.privileged
      ? [finding("privileged", "high")]
      : added.map((name) =>
          DANGEROUS.has(name)
            ? finding("dangerousCapability", "high", name)
            : finding("addedCapability", "medium", name),
        )),
    ...(isFiltered ? [] : [finding("seccompOff", "high")]),
    ...(options.privileged || live === undefined || (live.maskedPaths?.length ?? 0) > 0
      ? []
      : [finding("unmasked", "medium")]),
  ]
}

const NAMESPACES = {
  pid: ["hostPid", "high"],
  net: ["hostNet", "high"],
  ipc: ["hostIpc", "medium"],
  uts: ["hostUts", "low"],
  cgroup: ["hostCgroup", "low"],
  user: ["hostUser", "low"],
} as const

function namespaces(live: LiveExplanation): SecurityFinding[] {
  // an ordinary user's containers share the user namespace of his engine, which is none of the host's
  const isRootless = live.process.uidMap[0]?.count !== 2 ** 32 - 1
  return live.namespaces.flatMap(({ kind, owner }) => {
    const known = NAMESPACES[kind as keyof typeof NAMESPACES]
    if (known === undefined || owner !== "host" || (isRootless && (kind === "user" || kind === "cgroup"))) return []
    return [finding(known[0], known[1])]
  })
}

function askedNamespaces({ options }: ContainerExplanation): SecurityFinding[] {
  return options.network.kind === "host" ? [finding("hostNet", "high")] : []
}

function mounts({ mounts: asked, options }: ContainerExplanation): SecurityFinding[] {
  const binds = asked.filter(({ type }) => type === "bind")
  return [
    ...binds.flatMap(({ source, readOnly, target }) => {
      if (SOCKET.test(source) || SOCKET.test(target)) return [finding("socket", "high", source)]
      if (RULING.test(source) && !readOnly) return [finding("hostRoot", "high", source)]
      return readOnly ? [] : [finding("writableBind", "medium", source)]
    }),
    ...options.devices.map(({ hostPath }) => finding("device", "medium", hostPath)),
  ]
}

function limits({ options, live }: ContainerExplanation): SecurityFinding[] {
  const { resources } = options
  const pids = live?.cgroup.files.some(({ path }) => path.endsWith("/pids.max"))
  const memory = live?.cgroup.files.some(({ path }) => /\/memory\.(?:max|limit_in_bytes)$/.test(path))
  return [
    ...((pids ?? resources.pidsLimit !== -1) ? [] : [finding("noPidsLimit", "medium")]),
    ...((memory ?? resources.memoryBytes !== undefined) ? [] : [finding("noMemoryLimit", "low")]),
  ]
}

function other({ options, live }: ContainerExplanation): SecurityFinding[] {
  const uid = live?.process.uid ?? (/^(?:0|root)?(?::|$)/.test(options.user ?? "") ? 0 : 1)
  const isHostRoot = live === undefined ? rootlessUid() === undefined : live.process.uidMap[0]?.outside === 0
  const mayGain = !(
    live?.process.noNewPrivileges ?? options.securityOptions.some((one) => one.startsWith("no-new-privileges"))
  )
  return [
    ...(uid === 0 && isHostRoot ? [finding("rootUser", "medium")] : []),
    ...(mayGain ? [finding("newPrivileges", "low")] : []),
    ...(options.readOnly ? [] : [finding("writableRoot", "low")]),
    ...options.ports
      .filter(({ hostAddress = "" }) => hostAddress === "" || hostAddress === "0.0.0.0")
      .map(({ hostPort, protocol }) => finding("openPort", "low", `${hostPort}/${protocol}`)),
    ...options.env.flatMap((entry) => {
      const [name = ""] = entry.split("=", 1)
      return SECRET_NAME.test(name) && entry.length > name.length + 1
        ? [finding("secretInEnvironment", "low", name)]
        : []
    }),
  ]
}
