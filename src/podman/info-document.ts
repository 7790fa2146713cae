import type { EngineInfo } from "../docker/info-document.ts"
import { withGoNames } from "./hide.ts"

/** Podman's `info`, by the names of its JSON; templates find Go's. */
export function podmanInfoDocument(info: EngineInfo): object {
  const { containers, cgroup, runtime, monitor } = info
  return withGoNames({
    host: {
      arch: info.architecture,
      buildahVersion: info.version,
      cgroupControllers: cgroup.delegatedControllers,
      cgroupManager: "cgroupfs",
      cgroupVersion: cgroup.version === "v2" ? "v2" : "v1",
      conmon: { package: "", path: monitor.path, version: monitor.version },
      cpus: info.cpus,
      databaseBackend: "sqlite",
      distribution: { distribution: info.operatingSystem, version: "" },
      eventLogger: "sqlite",
      hostname: info.hostname,
      idMappings: { gidmap: null, uidmap: null },
      kernel: info.kernel,
      linkmode: "static",
      logDriver: info.defaults.logDriver,
      memTotal: info.memoryBytes,
      networkBackend: "skiff",
      ociRuntime: { name: runtime.name, package: "", path: runtime.path, version: runtime.version },
      os: "linux",
      remoteSocket: { exists: false, path: "" },
      rootlessNetworkCmd: "pasta",
      security: {
        apparmorEnabled: info.securityOptions.some((option) => option.includes("apparmor")),
        capabilities: "",
        rootless: info.rootless,
        seccompEnabled: info.securityOptions.some((option) => option.includes("seccomp")),
        seccompProfilePath: "",
        selinuxEnabled: info.securityOptions.some((option) => option.includes("selinux")),
      },
      serviceIsRemote: false,
    },
    plugins: {
      authorization: null,
      log: ["k8s-file", "json-file", "journald", "none", "passthrough"],
      network: ["bridge"],
      volume: ["local"],
    },
    registries: {},
    store: {
      configFile: "",
      containerStore: {
        number: containers.total,
        paused: containers.paused,
        running: containers.running,
        stopped: containers.stopped,
      },
      graphDriverName: info.snapshotter,
      graphOptions: {},
      graphRoot: info.root,
      graphStatus: {},
      imageStore: { number: info.images },
      runRoot: info.runRoot,
      transientStore: false,
      volumePath: `${info.root}/volumes`,
    },
    version: {
      APIVersion: info.version,
      Built: 0,
      BuiltTime: "",
      GitCommit: "",
      GoVersion: "",
      Os: "linux",
      OsArch: `linux/${info.architecture}`,
      Version: info.version,
    },
  }) as object
}
