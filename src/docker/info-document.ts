/** The store and the host as the engine sees them. */
export interface EngineInfo {
  version: string
  root: string
  runRoot: string
  rootless: boolean
  containers: { total: number; running: number; paused: number; stopped: number }
  images: number
  snapshotter: string
  runtime: { name: string; path: string; version: string; reason?: string }
  monitor: { path: string; version: string }
  /** What a step of a build would have here: `full`, or less with the reason. */
  buildIsolation: string
  cgroup: { version: "v1" | "hybrid" | "v2"; delegatedControllers: string[] }
  kernel: string
  operatingSystem: string
  architecture: string
  cpus: number
  memoryBytes: number
  hostname: string
  securityOptions: string[]
  /** Of containers that are made without a limit of their own; `pidsLimit` undefined: this host cannot enforce one. */
  defaults: { logDriver: string; logBytes: number; pidsLimit: number | undefined }
}

/** Docker's names for what both know, ours for the rest. */
export function infoDocument(info: EngineInfo): object {
  return {
    ID: "",
    Containers: info.containers.total,
    ContainersRunning: info.containers.running,
    ContainersPaused: info.containers.paused,
    ContainersStopped: info.containers.stopped,
    Images: info.images,
    Driver: info.snapshotter,
    DefaultRuntime: info.runtime.name,
    Runtime: info.runtime,
    Monitor: info.monitor,
    BuildIsolation: info.buildIsolation,
    CgroupVersion: info.cgroup.version === "v2" ? "2" : "1",
    Cgroup: info.cgroup,
    Rootless: info.rootless,
    SecurityOptions: info.securityOptions,
    LoggingDriver: info.defaults.logDriver,
    PidsLimit: info.defaults.pidsLimit !== undefined,
    Defaults: info.defaults,
    KernelVersion: info.kernel,
    OperatingSystem: info.operatingSystem,
    OSType: "linux",
    Architecture: info.architecture,
    NCPU: info.cpus,
    MemTotal: info.memoryBytes,
    Name: info.hostname,
    DockerRootDir: info.root,
    RunRoot: info.runRoot,
    ServerVersion: info.version,
    Runtimes: { [info.runtime.name]: { path: info.runtime.path } },
    Plugins: { Volume: ["local"], Network: ["bridge", "host", "none"], Authorization: null, Log: LOG_DRIVERS },
    ...limitsOf(info),
    CgroupDriver: "cgroupfs",
    Debug: false,
    DefaultAddressPools: null,
    DriverStatus: [],
    ExperimentalBuild: false,
    GenericResources: null,
    HttpProxy: "",
    HttpsProxy: "",
    NoProxy: "",
    IndexServerAddress: "https://index.docker.io/v1/",
    InitBinary: "catatonit",
    IPv4Forwarding: true,
    Isolation: "",
    Labels: [],
    LiveRestoreEnabled: true,
    NEventsListener: 0,
    NFd: 0,
    NGoroutines: 0,
    OSVersion: "",
    RegistryConfig: null,
    Swarm: { LocalNodeState: "inactive" },
    Warnings: null,
    ClientInfo: { Context: "default", Version: info.version },
    ContainerdCommit: { ID: "" },
    InitCommit: { ID: "" },
    RuncCommit: { ID: "" },
  }
}

const LOG_DRIVERS = ["json-file", "k8s-file", "journald", "local", "none"]

/** Which limits this host can enforce. */
function limitsOf({ cgroup }: EngineInfo): Record<string, boolean> {
  const has = (controller: string) => cgroup.delegatedControllers.includes(controller)
  return {
    MemoryLimit: has("memory"),
    SwapLimit: has("memory"),
    CPUCfsPeriod: has("cpu"),
    CpuCfsPeriod: has("cpu"),
    CpuCfsQuota: has("cpu"),
    CPUCfsQuota: has("cpu"),
    CPUShares: has("cpu"),
    CPUSet: has("cpuset"),
    OomKillDisable: cgroup.version !== "v2" && has("memory"),
  }
}
