/** `config.json` of an OCI bundle (runtime-spec config.md, config-linux.md): the part that skiff writes. */
export interface OciConfig {
  ociVersion: string
  process: OciProcess
  root: { path: string; readonly?: boolean }
  hostname?: string
  domainname?: string
  mounts: OciMount[]
  annotations?: Record<string, string>
  hooks?: OciHooks
  linux: OciLinux
}

/** config.md#posix-platform-hooks: a program of the host's, which gets the state on standard input. */
export interface OciHook {
  path: string
  args?: string[]
  env?: string[]
  /** Seconds. */
  timeout?: number
}

/** config.md#process; also what `RUNTIME exec --process FILE` reads. */
export interface OciProcess {
  terminal?: boolean
  consoleSize?: { height: number; width: number }
  user: { uid: number; gid: number; umask?: number; additionalGids?: number[] }
  args: string[]
  env: string[]
  cwd: string
  capabilities: OciCapabilities
  rlimits?: { type: string; soft: number; hard: number }[]
  noNewPrivileges: boolean
  apparmorProfile?: string
  selinuxLabel?: string
  oomScoreAdj?: number
}

/** config.md#posix-platform-hooks: programs of the host at points of the life cycle. */
export type OciHooks = Partial<
  Record<"prestart" | "createRuntime" | "createContainer" | "startContainer" | "poststart" | "poststop", OciHook[]>
>

/** config.md#linux-process, `capabilities`: names such as `CAP_CHOWN`. */
export interface OciCapabilities {
  bounding: string[]
  effective: string[]
  permitted: string[]
  inheritable: string[]
  ambient: string[]
}

/** config.md#mounts: `options` as mount(8)'s `-o` writes them. */
export interface OciMount {
  destination: string
  type?: string
  source?: string
  options?: string[]
}

/** config-linux.md: namespaces, control groups, devices, masks, seccomp. */
export interface OciLinux {
  namespaces: { type: OciNamespace; path?: string }[]
  uidMappings?: OciIdMapping[]
  gidMappings?: OciIdMapping[]
  cgroupsPath?: string
  resources?: OciResources
  intelRdt?: { closID: string }
  devices?: OciDevice[]
  sysctl?: Record<string, string>
  seccomp?: OciSeccomp
  mountLabel?: string
  maskedPaths?: string[]
  readonlyPaths?: string[]
  rootfsPropagation?: string
  personality?: { domain: "LINUX" | "LINUX32" }
}

/** config-linux.md#user-namespace-mappings */
export interface OciIdMapping {
  containerID: number
  hostID: number
  size: number
}

/** config-linux.md#namespaces */
export type OciNamespace = "pid" | "network" | "mount" | "ipc" | "uts" | "user" | "cgroup"

/** config-linux.md#devices */
export interface OciDevice {
  path: string
  type: "c" | "b" | "p"
  major?: number
  minor?: number
  fileMode?: number
  uid?: number
  gid?: number
}

/** config-linux.md#control-groups */
export interface OciResources {
  devices?: { allow: boolean; type?: string; major?: number; minor?: number; access?: string }[]
  memory?: {
    limit?: number
    reservation?: number
    swap?: number
    swappiness?: number
    disableOOMKiller?: boolean
  }
  cpu?: {
    shares?: number
    quota?: number
    period?: number
    realtimePeriod?: number
    realtimeRuntime?: number
    cpus?: string
    mems?: string
  }
  pids?: { limit: number }
  blockIO?: OciBlockIo
  hugepageLimits?: { pageSize: string; limit: number }[]
  rdma?: Record<string, { hcaHandles?: number; hcaObjects?: number }>
  /** cgroup v2: files and what is written to them. */
  unified?: Record<string, string>
}

/** config-linux.md#block-io */
export interface OciBlockIo {
  weight?: number
  weightDevice?: { major: number; minor: number; weight: number }[]
  throttleReadBpsDevice?: OciThrottle[]
  throttleWriteBpsDevice?: OciThrottle[]
  throttleReadIOPSDevice?: OciThrottle[]
  throttleWriteIOPSDevice?: OciThrottle[]
}

/** config-linux.md#block-io: a bound of one device. */
export interface OciThrottle {
  major: number
  minor: number
  rate: number
}

/** config-linux.md#seccomp */
export interface OciSeccomp {
  defaultAction: string
  defaultErrnoRet?: number
  architectures: string[]
  flags?: string[]
  syscalls: OciSyscall[]
}

/** config-linux.md#seccomp: one rule of the filter. */
export interface OciSyscall {
  names: string[]
  action: string
  errnoRet?: number
  args?: OciSyscallArg[]
}

/** A comparison with one argument of a system call. */
export interface OciSyscallArg {
  index: number
  value: number
  valueTwo?: number
  op: string
}
