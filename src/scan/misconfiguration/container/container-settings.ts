/** How a container is, or is to be, run: what the rules of CIS Docker 5 look at, wherever it was written down. */
export interface ContainerSettings {
  /** As people call it. */
  name: string
  /** As typed; empty where it is built. */
  image: string
  /** `user[:group]`; undefined: nobody knows, the image says it. */
  user: string | undefined
  privileged: boolean
  /** Without `CAP_`, in capitals; `ALL`. */
  capAdd: readonly string[]
  readOnlyRoot: boolean
  mounts: readonly MountSetting[]
  /** `host`, `bridge`, another's name; empty: none is named. */
  network: string
  /** `host`, or something else. */
  pid: string
  ipc: string
  uts: string
  userNamespace: string
  cgroup: string
  cgroupParent: string
  ports: readonly PortSetting[]
  /** Undefined: no limit. */
  memoryBytes: number | undefined
  hasCpuLimit: boolean
  /** Undefined: the engine's own; -1 or 0: no limit. */
  pidsLimit: number | undefined
  restart: { name: string; maximumRetryCount: number }
  /** Docker's words: `seccomp=unconfined`. */
  securityOptions: readonly string[]
  devices: readonly string[]
  /** Undefined: nobody knows. */
  hasHealthCheck: boolean | undefined
  /** Words that run; empty: the image's. */
  command: readonly string[]
}

/** What a container has from outside. */
export interface MountSetting {
  /** Host path of a bind, else a name. */
  source: string
  target: string
  readOnly: boolean
  propagation?: string | undefined
}

/** A published port; `hostPort` 0: any. */
export interface PortSetting {
  /** Empty: all addresses. */
  hostAddress: string
  hostPort: number
  containerPort: number
}

/** `cap_net_admin` → `NET_ADMIN`. */
export function capabilityName(word: string): string {
  return word.toUpperCase().replace(/^CAP_/, "")
}
