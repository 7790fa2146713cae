/**
 * The Pod Security Standards (kubernetes.io, "Pod Security Standards"), each check with the words that Kubernetes tells of it (k8s.io/pod-security-admission). Pure.
 */
import { at, isTree, listAt, textAt, textsAt, treeAt, type Tree } from "../../../field.ts"
import { trees } from "../forbidden.ts"

/** `privileged` forbids nothing. */
export type Level = "privileged" | "baseline" | "restricted"

/** What a check forbids: in short, and at length. */
export interface Violation {
  reason: string
  detail: string
}

/** `metadata` for annotations; `spec` of a pod or of a template. */
export interface CheckedPod {
  metadata: Tree
  spec: Tree
}

type Check = (pod: CheckedPod) => Violation | undefined

/** The violations of a level, as of Kubernetes 1.`minor`; those of baseline first. */
export function violationsOf(level: Level, pod: CheckedPod, minor = Number.POSITIVE_INFINITY): Violation[] {
  if (level === "privileged") return []
  const checks = level === "baseline" ? BASELINE : [...BASELINE.filter((one) => !OVERLAPPED.has(one)), ...RESTRICTED]
  return checks
    .filter((check) => check !== hostProbes || minor >= HOST_PROBES_MINOR)
    .flatMap((check) => check(pod) ?? [])
}

const HOST_PROBES_MINOR = 34

const containersOf = (spec: Tree): Tree[] =>
  ["initContainers", "containers", "ephemeralContainers"].flatMap((key) => trees(listAt(spec, key)))

const nameOf = (container: Tree): string => textAt(container, "name")
const quoted = (names: readonly string[]): string => names.map((name) => JSON.stringify(name)).join(", ")
const unique = (names: readonly string[]): string[] => [...new Set(names)].toSorted()
const number = (one: string, many: string, count: number): string => (count === 1 ? one : many)

/** `container "a"`, `containers "a", "b"`. */
const called = (containers: readonly Tree[]): string =>
  `${number("container", "containers", containers.length)} ${quoted(containers.map(nameOf))}`

const context = (container: Tree): Tree => treeAt(container, "securityContext")

/** Who says it: the pod, and containers. */
function setters(pod: boolean, containers: readonly Tree[]): string {
  return [...(pod ? ["pod"] : []), ...(containers.length > 0 ? [called(containers)] : [])].join(" and ")
}

/** A pod whose root is nobody on the host may run as root in it (KEP-127). */
const hasOwnUsers = (spec: Tree): boolean => spec["hostUsers"] === false

// baseline

const isUnconfined = (one: Tree): boolean => textAt(one, "appArmorProfile", "type") === "Unconfined"

function appArmorProfile({ metadata, spec }: CheckedPod): Violation | undefined {
  const pod = isUnconfined(treeAt(spec, "securityContext"))
  const containers = containersOf(spec).filter((one) => isUnconfined(context(one)))
  const annotations = Object.entries(textsAt(metadata, "annotations"))
    .filter(([key]) => key.startsWith("container.apparmor.security.beta.kubernetes.io/"))
    .filter(([, value]) => value !== "" && value !== "runtime/default" && !value.startsWith("localhost/"))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
  const isSet = pod || containers.length > 0
  if (!isSet && annotations.length === 0) return undefined
  const said = isSet ? [`${setters(pod, containers)} must not set AppArmor profile type to "Unconfined"`] : []
  const count = annotations.length + (pod ? 1 : 0) + containers.length
  return {
    reason: number("forbidden AppArmor profile", "forbidden AppArmor profiles", count),
    detail: [...said, ...annotations.toSorted()].join(", "),
  }
}

const BASELINE_CAPABILITIES = new Set([
  "AUDIT_WRITE",
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "FSETID",
  "KILL",
  "MKNOD",
  "NET_BIND_SERVICE",
  "SETFCAP",
  "SETGID",
  "SETPCAP",
  "SETUID",
  "SYS_CHROOT",
])

const addedBy = (container: Tree): string[] => listAt(context(container), "capabilities", "add").map(String)

const beyondBaseline = (one: Tree): string[] => addedBy(one).filter((name) => !BASELINE_CAPABILITIES.has(name))

function baselineCapabilities({ spec }: CheckedPod): Violation | undefined {
  const containers = containersOf(spec).filter((one) => beyondBaseline(one).length > 0)
  if (containers.length === 0) return undefined
  return {
    reason: "non-default capabilities",
    detail: `${called(containers)} must not include ${quoted(unique(containers.flatMap(beyondBaseline)))} in securityContext.capabilities.add`,
  }
}

function hostNamespaces({ spec }: CheckedPod): Violation | undefined {
  const set = ["hostNetwork", "hostPID", "hostIPC"].filter((key) => spec[key] === true)
  if (set.length === 0) return undefined
  return { reason: "host namespaces", detail: set.map((key) => `${key}=true`).join(", ") }
}

function hostPathVolumes({ spec }: CheckedPod): Violation | undefined {
  const names = trees(listAt(spec, "volumes"))
    .filter((one) => isTree(one["hostPath"]))
    .map(nameOf)
  if (names.length === 0) return undefined
  return { reason: "hostPath volumes", detail: `${number("volume", "volumes", names.length)} ${quoted(names)}` }
}

const hostPortsOf = (one: Tree): number[] =>
  listAt(one, "ports").flatMap((port) => {
    const given = at(port, "hostPort")
    return typeof given === "number" && given !== 0 ? [given] : []
  })

function hostPorts({ spec }: CheckedPod): Violation | undefined {
  const containers = containersOf(spec).filter((one) => hostPortsOf(one).length > 0)
  if (containers.length === 0) return undefined
  const ports = unique(containers.flatMap(hostPortsOf).map(String))
  const verb = number("uses", "use", containers.length)
  return {
    reason: "hostPort",
    detail: `${called(containers)} ${verb} ${number("hostPort", "hostPorts", ports.length)} ${ports.join(", ")}`,
  }
}

const hostsOf = (one: Tree): string[] =>
  [
    ...["livenessProbe", "readinessProbe", "startupProbe"].map((key) => treeAt(one, key)),
    ...["postStart", "preStop"].map((key) => treeAt(one, "lifecycle", key)),
  ].flatMap((handler) =>
    ["httpGet", "tcpSocket"].map((key) => textAt(handler, key, "host")).filter((host) => host !== ""),
  )

/** From 1.34 on: a probe is a request of the node's, to wherever it says. */
function hostProbes({ spec }: CheckedPod): Violation | undefined {
  const containers = containersOf(spec).filter((one) => hostsOf(one).length > 0)
  if (containers.length === 0) return undefined
  const hosts = unique(containers.flatMap(hostsOf))
  const what = number("probe or lifecycle host", "probe or lifecycle hosts", hosts.length)
  return {
    reason: "probe or lifecycle host",
    detail: `${called(containers)} ${number("uses", "use", containers.length)} ${what} ${quoted(hosts)}`,
  }
}

function privileged({ spec }: CheckedPod): Violation | undefined {
  const containers = containersOf(spec).filter((one) => context(one)["privileged"] === true)
  if (containers.length === 0) return undefined
  return { reason: "privileged", detail: `${called(containers)} must not set securityContext.privileged=true` }
}

function procMount({ spec }: CheckedPod): Violation | undefined {
  if (hasOwnUsers(spec)) return undefined
  const containers = containersOf(spec).filter((one) => !["", "Default"].includes(textAt(context(one), "procMount")))
  if (containers.length === 0) return undefined
  const types = unique(containers.map((one) => textAt(context(one), "procMount")))
  return {
    reason: "procMount",
    detail: `${called(containers)} must not set securityContext.procMount to ${quoted(types)}`,
  }
}

const SELINUX_TYPES = new Set(["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"])

const seLinuxOf = (one: Tree): Tree => treeAt(one, "seLinuxOptions")

const isForbiddenSeLinux = (options: Tree): boolean =>
  !SELINUX_TYPES.has(textAt(options, "type")) || textAt(options, "user") !== "" || textAt(options, "role") !== ""

function seLinuxOptions({ spec }: CheckedPod): Violation | undefined {
  const own = seLinuxOf(treeAt(spec, "securityContext"))
  const containers = containersOf(spec).filter((one) => isForbiddenSeLinux(seLinuxOf(context(one))))
  if (!isForbiddenSeLinux(own) && containers.length === 0) return undefined
  const all = [own, ...containers.map((one) => seLinuxOf(context(one)))]
  const types = unique(all.map((one) => textAt(one, "type")).filter((type) => !SELINUX_TYPES.has(type)))
  const said = [
    ...(types.length > 0 ? [`${number("type", "types", types.length)} ${quoted(types)}`] : []),
    ...["user", "role"].flatMap((key) => (all.some((one) => textAt(one, key) !== "") ? [`${key} may not be set`] : [])),
  ]
  return {
    reason: "seLinuxOptions",
    detail: `${setters(isForbiddenSeLinux(own), containers)} set forbidden securityContext.seLinuxOptions: ${said.join("; ")}`,
  }
}

const seccompOf = (one: Tree): string => textAt(one, "seccompProfile", "type")
const isSeccomp = (type: string): boolean => type === "RuntimeDefault" || type === "Localhost"

const isForbiddenSeccomp = (type: string): boolean => type !== "" && !isSeccomp(type)

function baselineSeccomp({ spec }: CheckedPod): Violation | undefined {
  const own = seccompOf(treeAt(spec, "securityContext"))
  const containers = containersOf(spec).filter((one) => isForbiddenSeccomp(seccompOf(context(one))))
  if (!isForbiddenSeccomp(own) && containers.length === 0) return undefined
  const values = unique([own, ...containers.map((one) => seccompOf(context(one)))].filter(isForbiddenSeccomp))
  return {
    reason: "seccompProfile",
    detail: `${setters(isForbiddenSeccomp(own), containers)} must not set securityContext.seccompProfile.type to ${quoted(values)}`,
  }
}

/** Of the namespace of the pod alone, as of 1.32. */
const SAFE_SYSCTLS = new Set([
  "kernel.shm_rmid_forced",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.ip_local_reserved_ports",
  "net.ipv4.ip_unprivileged_port_start",
  "net.ipv4.ping_group_range",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_keepalive_intvl",
  "net.ipv4.tcp_keepalive_probes",
  "net.ipv4.tcp_keepalive_time",
  "net.ipv4.tcp_rmem",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.tcp_wmem",
])

function sysctls({ spec }: CheckedPod): Violation | undefined {
  const bad = listAt(spec, "securityContext", "sysctls")
    .map((one) => textAt(one, "name"))
    .filter((name) => !SAFE_SYSCTLS.has(name))
  return bad.length === 0 ? undefined : { reason: "forbidden sysctls", detail: bad.join(", ") }
}

const isHostProcess = (one: Tree): boolean => at(one, "windowsOptions", "hostProcess") === true

function windowsHostProcess({ spec }: CheckedPod): Violation | undefined {
  const pod = isHostProcess(treeAt(spec, "securityContext"))
  const containers = containersOf(spec).filter((one) => isHostProcess(context(one)))
  if (!pod && containers.length === 0) return undefined
  return {
    reason: "hostProcess",
    detail: `${setters(pod, containers)} must not set securityContext.windowsOptions.hostProcess=true`,
  }
}

// restricted

function privilegeEscalation({ spec }: CheckedPod): Violation | undefined {
  const containers = containersOf(spec).filter((one) => context(one)["allowPrivilegeEscalation"] !== false)
  if (containers.length === 0) return undefined
  return {
    reason: "allowPrivilegeEscalation != false",
    detail: `${called(containers)} must set securityContext.allowPrivilegeEscalation=false`,
  }
}

const beyondRestricted = (one: Tree): string[] => addedBy(one).filter((name) => name !== "NET_BIND_SERVICE")

function restrictedCapabilities({ spec }: CheckedPod): Violation | undefined {
  const all = containersOf(spec)
  const undropped = all.filter((one) => !listAt(context(one), "capabilities", "drop").includes("ALL"))
  const adding = all.filter((one) => beyondRestricted(one).length > 0)
  const said = [
    ...(undropped.length > 0 ? [`${called(undropped)} must set securityContext.capabilities.drop=["ALL"]`] : []),
    ...(adding.length > 0
      ? [
          `${called(adding)} must not include ${quoted(unique(adding.flatMap(beyondRestricted)))} in securityContext.capabilities.add`,
        ]
      : []),
  ]
  return said.length === 0 ? undefined : { reason: "unrestricted capabilities", detail: said.join("; ") }
}

const RESTRICTED_VOLUMES = [
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "persistentVolumeClaim",
  "projected",
  "secret",
]

function restrictedVolumes({ spec }: CheckedPod): Violation | undefined {
  const bad = trees(listAt(spec, "volumes")).filter((one) => RESTRICTED_VOLUMES.every((key) => !isTree(one[key])))
  if (bad.length === 0) return undefined
  const types = unique(bad.map((one) => Object.keys(one).find((key) => key !== "name") ?? "unknown"))
  const uses = `${number("uses", "use", bad.length)} restricted volume ${number("type", "types", types.length)}`
  return {
    reason: "restricted volume types",
    detail: `${number("volume", "volumes", bad.length)} ${quoted(bad.map(nameOf))} ${uses} ${quoted(types)}`,
  }
}

function runAsNonRoot({ spec }: CheckedPod): Violation | undefined {
  if (hasOwnUsers(spec)) return undefined
  const own = at(spec, "securityContext", "runAsNonRoot")
  const all = containersOf(spec)
  const saying = all.filter((one) => context(one)["runAsNonRoot"] === false)
  const reason = "runAsNonRoot != true"
  if (own === false || saying.length > 0)
    return { reason, detail: `${setters(own === false, saying)} must not set securityContext.runAsNonRoot=false` }
  const silent = own === true ? [] : all.filter((one) => context(one)["runAsNonRoot"] !== true)
  if (silent.length === 0) return undefined
  return { reason, detail: `pod or ${called(silent)} must set securityContext.runAsNonRoot=true` }
}

function runAsUser({ spec }: CheckedPod): Violation | undefined {
  if (hasOwnUsers(spec)) return undefined
  const pod = at(spec, "securityContext", "runAsUser") === 0
  const containers = containersOf(spec).filter((one) => context(one)["runAsUser"] === 0)
  if (!pod && containers.length === 0) return undefined
  return { reason: "runAsUser=0", detail: `${setters(pod, containers)} must not set runAsUser=0` }
}

function restrictedSeccomp(pod: CheckedPod): Violation | undefined {
  const bad = baselineSeccomp(pod)
  if (bad !== undefined) return bad
  const { spec } = pod
  if (isSeccomp(seccompOf(treeAt(spec, "securityContext")))) return undefined
  const silent = containersOf(spec).filter((one) => seccompOf(context(one)) === "")
  if (silent.length === 0) return undefined
  return {
    reason: "seccompProfile",
    detail: `pod or ${called(silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
  }
}

const BASELINE: readonly Check[] = [
  appArmorProfile,
  baselineCapabilities,
  hostNamespaces,
  hostPathVolumes,
  hostPorts,
  hostProbes,
  privileged,
  procMount,
  seLinuxOptions,
  baselineSeccomp,
  sysctls,
  windowsHostProcess,
]
/** Said again, and more, by those of `restricted`. */
const OVERLAPPED: ReadonlySet<Check> = new Set([baselineCapabilities, baselineSeccomp])
const RESTRICTED: readonly Check[] = [
  privilegeEscalation,
  restrictedCapabilities,
  restrictedVolumes,
  runAsNonRoot,
  runAsUser,
  restrictedSeccomp,
]
