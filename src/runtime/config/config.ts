import { availableParallelism } from "node:os"
import { posix } from "node:path"
import { InvalidArgument } from "../../base/errors.ts"
import type { OciConfig, OciIdMapping, OciLinux, OciMount, OciNamespace, OciProcess } from "../../spec/oci-runtime.ts"
import { cgroupsPath, type Cgroups } from "../../sys/process/cgroup.ts"
import { capabilitySets, chooseCapabilities } from "./capabilities.ts"
import { defaultMounts, INIT_PATH, MASKED_PATHS, READONLY_PATHS, type DefaultMountsHost } from "./defaults.ts"
import { allDevices, checkDeviceRules, deviceRules, findDevices, type HostDevice } from "./devices.ts"
import { checkOomScore, checkRdtClass, rlimitsOf } from "./process-limits.ts"
import { toResources } from "./resources.ts"
import type { ConfigInput, ExecProcessInput, IdMapping } from "../runtime.ts"
import { parseSecurityOptions, type SecuritySettings } from "../../spec/docker/security-option.ts"
import { apparmorProfile, guardedPaths, selinuxLabels, withProcOptions } from "./security-options.ts"
import { checkSysctls } from "./sysctls.ts"

/** What the configuration depends on besides the input: the host, and who we are on it. */
export interface ConfigHost {
  cgroups: Cgroups
  /** We are root of the pause process's user namespace: no device nodes, no device cgroup. */
  rootless: boolean
  /** That namespace maps one id only: the user has no subordinate range. */
  singleId?: boolean
  /** What we may give: `availableCapabilities()`. */
  capabilities: readonly string[]
  cpus: number
  /** The runtime sets `domainname`: in a user namespace the sysctl cannot be written. */
  knowsDomainname?: boolean
  /** `hasCgroupFile()`. */
  hasCgroupFile?(controller: string, name: string): boolean
  /** The root's path from the bundle, where ids of the container could not come to it from `/`. */
  relativeRoot?: string
  /** `hierarchyPaths()`. */
  hierarchies?: readonly string[]
}

/** The container's `config.json`, as docker would write it, but for `linux.seccomp`, which depends on its capabilities. Throws InvalidArgument, FailedPrecondition. */
export function runtimeConfig(input: ConfigInput, host: ConfigHost): OciConfig {
  const { cgroups, rootless } = host
  const devices = input.privileged ? allDevices() : findDevices(input.devices)
  const namespaces = namespacesOf(input, cgroups)
  const has = (type: OciNamespace): boolean => namespaces.some((one) => one.type === type)
  // a shared namespace has its names already
  const ownUts = (input.uts ?? "private") === "private"
  const inUserNamespace = input.userNamespace !== undefined
  const cgroupMount = cgroups.manager !== "disabled"
  const resources = toResources(input.resources, {
    cgroup: cgroups.version,
    controllers: cgroups.controllers,
    swap: cgroups.swap,
    cpus: host.cpus,
    remedy: cgroups.remedy,
    hasFile: host.hasCgroupFile,
  })
  checkDeviceRules(input.deviceCgroupRules, rootless)
  const sysctl = {
    ...(has("network") && !rootless && !inUserNamespace && input.network.kind === "private" ? NETWORK_SYSCTLS : {}),
    // as docker, for runtimes that do not know the spec's own word for it
    ...(input.domainname !== undefined && ownUts && !host.knowsDomainname && { "kernel.domainname": input.domainname }),
    ...checkSysctls(input.sysctls, { ipc: has("ipc"), network: has("network"), uts: has("uts") }),
  }
  const security = parseSecurityOptions(input.securityOptions)
  const mounts = mountsOf(input, {
    cgroupMount,
    writableCgroups: security.writableCgroups,
    // sysfs belongs to the network namespace: of the host's, a user namespace may show the mounted one only
    bindSys: (rootless && !has("network")) || (inUserNamespace && input.network.kind !== "private"),
    bindProc: (rootless || inUserNamespace) && !has("pid"),
    singleId: host.singleId === true || (inUserNamespace && !mapsTty(input)),
    // a user namespace may make no device nodes: the host's are bound
    deviceBinds: rootless ? devices.map(bindDevice) : [],
  })
  return {
    ociVersion: "1.0.2",
    process: processOf(input, host),
    root: { path: host.relativeRoot ?? input.rootfs, readonly: input.readOnly },
    ...(input.hostname !== undefined && ownUts && { hostname: input.hostname }),
    ...(input.domainname !== undefined && ownUts && host.knowsDomainname && { domainname: input.domainname }),
    mounts: withProcOptions(mounts, security),
    ...(input.annotations && { annotations: { ...input.annotations } }),
    linux: {
      namespaces,
      ...mappingsOf(input),
      ...(input.personality !== undefined && { personality: { domain: input.personality } }),
      cgroupsPath: cgroupsPath(input.id, cgroups, input.cgroupPlacement?.parent),
      resources: rootless ? resources : { ...resources, devices: deviceRules(devices, input) },
      ...(input.rdtClass !== undefined && { intelRdt: { closID: checkRdtClass(input.rdtClass, rootless) } }),
      devices: rootless ? [] : devices.map(({ node }) => node),
      ...(Object.keys(sysctl).length > 0 && { sysctl }),
      ...guardedPaths(
        security,
        input.privileged
          ? NOTHING_GUARDED
          : {
              masked: input.maskedPaths ?? MASKED_PATHS,
              readonly: input.readonlyPaths ?? readonlyPaths(host, input, security),
            },
      ),
      ...mountLabelOf(security),
      ...propagationOf(mounts),
    },
  }
}

/**
 * On v1 the controllers are mounted read-only on a tmpfs. runc 1.1.5 leaves that one writable; crun 1.8.1 makes it
 * read-only by a copy of all below, whose controllers can be written again: so they come after it.
 */
function readonlyPaths(
  { cgroups: { version, manager }, hierarchies = [] }: ConfigHost,
  { ownsCgroups }: ConfigInput,
  { writableCgroups }: SecuritySettings,
): string[] {
  if (version === "v2" || manager === "disabled" || writableCgroups) return [...READONLY_PATHS]
  // systemd of a container has the hierarchy that is named after it, which limits nothing
  if (ownsCgroups === true) return [...READONLY_PATHS, ...hierarchies.filter((path) => !path.endsWith("/systemd"))]
  return [...READONLY_PATHS, "/sys/fs/cgroup", ...hierarchies]
}

const NOTHING_GUARDED = { masked: [], readonly: [] }

function mountLabelOf(security: SecuritySettings): Pick<OciLinux, "mountLabel"> {
  const labels = selinuxLabels(security)
  return labels === undefined ? {} : { mountLabel: labels.mount }
}

/** Docker's: ports below 1024 and ping need no capability in a network of one's own. */
const NETWORK_SYSCTLS = { "net.ipv4.ip_unprivileged_port_start": "0", "net.ipv4.ping_group_range": "0 2147483647" }

function processOf(input: ConfigInput, host: ConfigHost): OciProcess {
  const args = input.initPath === undefined ? [...input.argv] : [INIT_PATH, "--", ...input.argv]
  if (args.length === 0) throw new InvalidArgument("no command given, and the image has none", { field: "command" })
  const security = parseSecurityOptions(input.securityOptions)
  const [profile, labels] = [apparmorProfile(security), selinuxLabels(security)]
  return {
    terminal: input.tty,
    ...(input.tty && consoleOf(input.consoleSize)),
    user: { ...userOf(input.user), ...(input.umask !== undefined && { umask: input.umask }) },
    args,
    env: [...input.env],
    cwd: checkWorkdir(input.cwd),
    capabilities: capabilitySets(chooseCapabilities(input, host.capabilities), input.ambientCapabilities),
    rlimits: rlimitsOf(input.ulimits, host.rootless),
    noNewPrivileges: security.noNewPrivileges,
    ...(profile !== undefined && { apparmorProfile: profile }),
    ...(labels !== undefined && { selinuxLabel: labels.process }),
    ...(input.oomScoreAdj !== undefined && { oomScoreAdj: checkOomScore(input.oomScoreAdj, host.rootless) }),
  }
}

/** The `process` of an exec: the container's own, with what the caller changes. */
export function execProcess(
  config: OciConfig,
  input: ExecProcessInput,
  { available, rootless }: { available: readonly string[]; rootless: boolean },
): OciProcess {
  const own = config.process
  const { ulimits = [] } = input
  if (input.argv.length === 0) throw new InvalidArgument("no command given to execute")
  return {
    ...own,
    terminal: input.tty,
    consoleSize: undefined,
    ...(input.tty && consoleOf(input.consoleSize)),
    user: input.user ? { ...userOf(input.user), umask: own.user.umask } : own.user,
    args: [...input.argv],
    env: [...own.env, ...input.env],
    cwd: input.cwd === undefined ? own.cwd : checkWorkdir(input.cwd),
    capabilities: input.privileged ? capabilitySets(available) : own.capabilities,
    ...(ulimits.length > 0 && { rlimits: rlimitsOf(ulimits, rootless) }),
  }
}

const LAST_ID = 2 ** 31 - 1

function userOf(user: ConfigInput["user"]): OciProcess["user"] {
  // beyond 31 bits the kernel, the runtime or a library may read -1 or 0 (CVE-2024-40635)
  for (const id of [user.uid, user.gid, ...user.additionalGids])
    if (!Number.isInteger(id) || id < 0 || id > LAST_ID)
      throw new InvalidArgument(`user or group id ${id} is out of range`, { hint: `from 0 to ${LAST_ID}` })
  return { uid: user.uid, gid: user.gid, additionalGids: [...user.additionalGids] }
}

function consoleOf(size: ConfigInput["consoleSize"]): { consoleSize?: { height: number; width: number } } {
  return size === undefined ? {} : { consoleSize: { height: size.rows, width: size.columns } }
}

/** A working directory is inside the root: `/proc/self/fd/N` may be a directory of the host (CVE-2024-21626). */
function checkWorkdir(cwd: string): string {
  const path = posix.normalize(cwd)
  if (!cwd.startsWith("/") || cwd.includes("\0"))
    throw new InvalidArgument(`the working directory ${JSON.stringify(cwd)} is not an absolute path`)
  if (/^\/proc(\/|$)/.test(path))
    throw new InvalidArgument(`the working directory "${cwd}" is not allowed`, { hint: "it may not lie in /proc" })
  return path
}

function namespacesOf(input: ConfigInput, cgroups: Cgroups): OciConfig["linux"]["namespaces"] {
  const namespaces: OciConfig["linux"]["namespaces"] = [{ type: "mount" }]
  const add = (type: OciNamespace, mode: "private" | "host" | { path: string } = "private"): void => {
    if (mode !== "host") namespaces.push(mode === "private" ? { type } : { type, path: mode.path })
  }
  const { userNamespace } = input
  if (userNamespace !== undefined)
    add("user", userNamespace.path === undefined ? "private" : { path: userNamespace.path })
  add("pid", input.pid)
  add("ipc", input.ipc)
  add("uts", input.uts)
  add("network", input.network.kind === "path" ? { path: input.network.path } : input.network.kind)
  if (cgroups.manager !== "disabled") add("cgroup", input.cgroup)
  return namespaces
}

function mappingsOf({ userNamespace }: ConfigInput): Pick<OciLinux, "uidMappings" | "gidMappings"> {
  if (userNamespace === undefined || userNamespace.path !== undefined) return {}
  return { uidMappings: userNamespace.uids.map(mappingOf), gidMappings: userNamespace.gids.map(mappingOf) }
}

function mappingOf({ inside, outside, count }: IdMapping): OciIdMapping {
  return { containerID: inside, hostID: outside, size: count }
}

const TTY_GID = 5

function mapsTty({ userNamespace }: ConfigInput): boolean {
  return userNamespace?.gids.some(({ inside, count }) => inside <= TTY_GID && TTY_GID < inside + count) ?? true
}

function mountsOf(input: ConfigInput, host: DefaultMountsHost & { deviceBinds: OciMount[] }): OciMount[] {
  const targets = new Set(input.mounts.map((mount) => checkTarget(mount.destination, input.privileged)))
  const hidden = (target: string): boolean => targets.has(target) || (target.startsWith("/dev/") && targets.has("/dev"))
  const mounts = defaultMounts(input, host).filter((mount) => !hidden(mount.destination))
  const init: OciMount[] =
    input.initPath === undefined
      ? []
      : // in /dev, which is ours alone: it leaves no file in the image's layers
        [{ destination: INIT_PATH, type: "bind", source: input.initPath, options: ["bind", "ro", "nosuid", "nodev"] }]
  return [...mounts, ...input.mounts, ...host.deviceBinds, ...init]
}

/** The last line of defence: nothing is mounted over the root or /proc (CVE-2019-16884, CVE-2023-27561). */
function checkTarget(destination: string, privileged: boolean): string {
  const target = posix.normalize(destination).replace(/(.)\/$/, "$1")
  if (!target.startsWith("/") || target === "/" || destination.includes("\0"))
    throw new InvalidArgument(`invalid mount target ${JSON.stringify(destination)}`, {
      hint: "expected an absolute path other than /",
    })
  if (/^\/proc(\/|$)/.test(target) || (target === "/sys" && !privileged))
    throw new InvalidArgument(`nothing can be mounted at "${destination}"`, {
      hint: "mount it elsewhere, such as /host/proc",
    })
  return target
}

function bindDevice(device: HostDevice): OciMount {
  return {
    destination: device.node.path,
    type: "bind",
    source: device.hostPath,
    options: ["bind", "noexec", "nosuid", ...(device.access.includes("w") ? [] : ["ro"])],
  }
}

/** config-linux.md#rootfs-mount-propagation: a shared or slave bind needs a root that passes it on. */
function propagationOf(mounts: readonly OciMount[]): { rootfsPropagation?: string } {
  const options = new Set(mounts.flatMap((mount) => mount.options ?? []))
  if (options.has("rshared") || options.has("shared")) return { rootfsPropagation: "shared" }
  if (options.has("rslave") || options.has("slave")) return { rootfsPropagation: "rslave" }
  return {}
}

/** Cores that `--cpus` may ask for. */
export function hostCpus(): number {
  return availableParallelism()
}
