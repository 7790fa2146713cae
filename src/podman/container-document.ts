/** Podman's inspect document of a container: what it has beyond docker's, and what it says otherwise. */
import { shortId } from "../base/short-id.ts"
import type { ContainerDetails, HealthOptions } from "../container/container.ts"
import { withDurations } from "../docker/duration-field.ts"
import { portMap } from "../docker/port-map.ts"
import { publishedPorts } from "../docker/port-text.ts"
import { podmanNetworkName } from "./network-document.ts"
import { podmanBinds, podmanMountDocuments } from "./mount-document.ts"
import { digestHex } from "../spec/digest.ts"

type Document = Record<string, unknown>

/** The parts of the document that both tools have, each with keys of its own. */
const PARTS = ["State", "Config", "HostConfig", "NetworkSettings"] as const

/** A port on all addresses of both families is this alone. */
const ANY = "0.0.0.0"

const NO_TIME = "0001-01-01T00:00:00Z"

/** Docker's document with the keys that podman alone has: templates of both tools find theirs. Pure. */
export function withPodmanKeys(docker: Document, details: ContainerDetails): Document {
  const extra = extraKeys(details)
  const parts = PARTS.map((part) => [part, withMissing(partOf(docker, part), partOf(extra, part))])
  return { ...withMissing(docker, extra), ...Object.fromEntries(parts) }
}

/** `document`, then what of `more` it does not have. */
function withMissing(document: Document, more: Document): Document {
  return { ...document, ...Object.fromEntries(Object.entries(more).filter(([key]) => !Object.hasOwn(document, key))) }
}

/** The document as podman has it. Pure. */
export function podmanContainerDocument(docker: Document, details: ContainerDetails): Document {
  const { name, imageId, argv, run, options, restartCount } = details
  const both = withPodmanKeys(docker, details)
  const hostConfig = partOf(both, "HostConfig")
  const settings = partOf(both, "NetworkSettings")
  return {
    ...both,
    Name: name,
    Image: digestHex(imageId),
    Path: argv[0] ?? "",
    RestartCount: restartCount,
    State: { ...partOf(both, "State"), ...initializedState(details) },
    ExecIDs: details.runningExecs,
    Config: {
      ...partOf(both, "Config"),
      Cmd: run.command.length === 0 ? null : run.command,
      Entrypoint: run.entrypoint.length === 0 ? null : run.entrypoint,
      Image: details.imageName,
      Labels: Object.keys(run.labels).length === 0 ? null : run.labels,
      AttachStdin: false,
      AttachStdout: false,
      AttachStderr: false,
    },
    Mounts: podmanMountDocuments(details.mounts),
    NetworkSettings: {
      ...settings,
      Ports: { ...partOf(settings, "Ports"), ...portMap(publishedPorts(details), ANY) },
      Networks: podmanEndpoints(partOf(settings, "Networks"), details),
    },
    HostConfig: {
      ...hostConfig,
      Binds: podmanBinds(details.mounts),
      PortBindings: portMap(options.ports, ANY),
      CapAdd: options.capAdd.map(capabilityName),
      CapDrop: options.capDrop.map(capabilityName),
      ExtraHosts: options.extraHosts,
      GroupAdd: options.groupAdd,
      SecurityOpt: options.securityOptions,
      PidMode: hostConfig.PidMode === "" ? "private" : hostConfig.PidMode,
      UTSMode: hostConfig.UTSMode === "" ? "private" : hostConfig.UTSMode,
      RestartPolicy: {
        Name: options.restart.name === "no" ? "no" : options.restart.name,
        MaximumRetryCount: options.restart.maximumRetryCount,
      },
    },
  }
}

/** By podman's names of networks; the container's short id is an alias on each. */
function podmanEndpoints(endpoints: Document, { id, options }: ContainerDetails): Document {
  const isBridge = options.network.kind === "bridge"
  return Object.fromEntries(
    Object.entries(endpoints).map(([name, endpoint]) => {
      const { Aliases, ...rest } = endpoint as Document
      const aliases = [...((Aliases as string[] | null) ?? []), ...(isBridge ? [shortId(id)] : [])]
      return [podmanNetworkName(name), { ...rest, Aliases: aliases.length === 0 ? null : [...new Set(aliases)] }]
    }),
  )
}

/** Docker has no such state: there it is created. */
function initializedState({ state }: ContainerDetails): Document {
  if (state.status !== "created") return {}
  if (state.initialized === undefined) return { Status: "created" }
  return { Status: "initialized", Pid: state.initialized.pid, ConmonPid: state.initialized.monitorPid }
}

function extraKeys(details: ContainerDetails): Document {
  const { state, options, imageName, image, runtime, logPath } = details
  const monitorPid = "monitorPid" in state ? state.monitorPid : 0
  return {
    BoundingCaps: details.capabilities?.bounding ?? [],
    EffectiveCaps: details.capabilities?.effective ?? [],
    ImageName: imageName,
    ImageDigest: image?.manifest.digest ?? "",
    Rootfs: options.tree?.rootfs?.path ?? "",
    Pod: options.pod?.id ?? "",
    StaticDir: details.paths.state,
    OCIConfigPath: details.paths.config,
    OCIRuntime: runtime,
    ConmonPidFile: details.paths.monitorPidFile,
    PidFile: details.paths.pidFile,
    Dependencies: options.requires ?? [],
    Namespace: "",
    IsInfra: false,
    IsService: false,
    KubeExitCodePropagation: "invalid",
    lockNumber: 0,
    State: {
      OciVersion: "1.2.0",
      ConmonPid: monitorPid,
      CgroupPath: "",
      CheckpointedAt: NO_TIME,
      RestoredAt: NO_TIME,
      StoppedByUser: false,
    },
    Config: {
      Annotations: options.annotations ?? {},
      CreateCommand: options.createCommand ?? [],
      ...healthKeys(options.health),
      OnBuild: null,
      Passwd: options.accounts?.passwd ?? false,
      Secrets: null,
      SystemdMode: false,
      Timeout: options.runTimeoutSeconds ?? 0,
      Timezone: "",
      Umask: "0022",
      sdNotifyMode: "container",
    },
    HostConfig: {
      CgroupConf: null,
      CgroupManager: "cgroupfs",
      CgroupMode: options.namespaces?.cgroup?.kind ?? "private",
      ...(details.idMaps && { IDMappings: { UidMap: details.idMaps.uids, GidMap: details.idMaps.gids } }),
      Cgroups: "default",
      Devices: [],
      DiskQuota: 0,
      LogConfig: { Type: options.log.driver, Config: options.log.options, Path: logPath ?? "", Tag: "", Size: "0B" },
    },
    NetworkSettings: {
      EndpointID: "",
      HairpinMode: false,
      LinkLocalIPv6Address: "",
      LinkLocalIPv6PrefixLen: 0,
    },
  }
}

/** What podman's Config says of health checks beyond docker's. */
function healthKeys({ onFailure, log = {}, startup }: HealthOptions = {}): Document {
  const keys = {
    HealthcheckOnFailureAction: onFailure ?? "none",
    HealthLogDestination: log.directory ?? (log.events ? "events_logger" : "local"),
    HealthMaxLogCount: log.maxCount ?? 5,
    HealthMaxLogSize: log.maxBytes ?? 4096,
  }
  if (startup === undefined) return keys
  const { test: Test, retries: Retries, successes: Successes } = startup
  const [Interval, Timeout] = [nanoseconds(startup.intervalMs), nanoseconds(startup.timeoutMs)]
  const check = withDurations({ Test, Interval, Timeout, Retries, Successes }, ["Interval", "Timeout"])
  return { ...keys, StartupHealthCheck: check }
}

function nanoseconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms * 1e6
}

function partOf(document: Document, part: string): Document {
  return (document[part] ?? {}) as Document
}

/** `net_raw` is `CAP_NET_RAW`. */
function capabilityName(text: string): string {
  const name = text.toUpperCase()
  return name === "ALL" || name.startsWith("CAP_") ? name : `CAP_${name}`
}
