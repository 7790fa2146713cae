import type { NetworkMode } from "./container.ts"
import type { PortMapping } from "../spec/docker/port-mapping.ts"
import { formatPlatform } from "../spec/platform.ts"
import { containerFilePaths } from "./container-files.ts"
import type { ContainerDeps } from "./deps.ts"
import { toContainer } from "./observe.ts"
import type { ContainerRecord, MountPoint } from "./record.ts"

const NO_TIME = "0001-01-01T00:00:00Z"

/** Docker's inspect document (Engine API, ContainerInspect), by its names. */
export async function inspect(deps: ContainerDeps, nameOrId: string): Promise<Record<string, unknown>> {
  const record = deps.records.get(nameOrId)
  const { id, name, spec, state } = record
  const { options, run } = spec
  const [path = "", ...args] = [...run.entrypoint, ...run.command]
  const snapshots = await deps.snapshots()
  const image = (await deps.images()).find(record.imageId)
  const files = existingFiles(deps, record)
  return {
    Id: id,
    Created: new Date(record.createdAt).toISOString(),
    Path: path,
    Args: args,
    State: stateDocument(deps, record),
    Image: record.imageId,
    ResolvConfPath: files.resolvConf,
    HostnamePath: files.hostname,
    HostsPath: files.hosts,
    LogPath: spec.logPath ?? "",
    Name: `/${name}`,
    RestartCount: state.restartCount,
    Driver: snapshots.driver,
    Platform: image?.platform.os ?? "linux",
    ...(image === undefined ? {} : { ImageManifestDescriptor: { ...image.manifest, platform: image.platform } }),
    MountLabel: "",
    ProcessLabel: "",
    AppArmorProfile: "",
    ExecIDs: null,
    HostConfig: hostConfig(record),
    GraphDriver: { Name: snapshots.driver, Data: { UpperDir: upperDir(snapshots, id) } },
    Mounts: await mountDocuments(deps, spec.mounts),
    Config: configDocument(record, image && formatPlatform(image.platform)),
    NetworkSettings: networkSettings(record),
    ...(options.runtime === undefined ? {} : { OCIRuntime: options.runtime }),
  }
}

function upperDir(snapshots: { diffPath(key: string): string }, id: string): string {
  try {
    return snapshots.diffPath(id)
  } catch {
    return "" // killed in create, before it had a layer
  }
}

/** A container that joins one which is gone has none. */
function existingFiles(
  deps: ContainerDeps,
  record: ContainerRecord,
): { hosts: string; resolvConf: string; hostname: string } {
  try {
    return containerFilePaths(deps, record)
  } catch {
    return { hosts: "", resolvConf: "", hostname: "" }
  }
}

function stateDocument(deps: ContainerDeps, record: ContainerRecord): Record<string, unknown> {
  const { state } = toContainer(record, deps)
  const { startedAt, exitCode, error, oomKilled, finishedAt } = record.state
  const isUp = state.status === "running" || state.status === "paused"
  const finished = state.status === "exited" ? state.finishedAt.getTime() : finishedAt
  return {
    Status: state.status,
    Running: isUp || state.status === "restarting",
    Paused: state.status === "paused",
    Restarting: state.status === "restarting",
    OOMKilled: oomKilled ?? false,
    Dead: false,
    Pid: isUp ? state.pid : 0,
    ExitCode: isUp ? 0 : state.status === "exited" ? state.exitCode : (exitCode ?? 0),
    Error: (state.status === "exited" ? state.error : error) ?? "",
    StartedAt: time(startedAt),
    FinishedAt: time(finished),
  }
}

function time(ms: number | undefined): string {
  return ms === undefined ? NO_TIME : new Date(ms).toISOString()
}

function hostConfig({ spec }: ContainerRecord): Record<string, unknown> {
  const { options, mounts, run } = spec
  const { resources } = options
  return {
    Binds: options.mounts.flatMap((mount) => {
      if (mount.type === "tmpfs" || (mount.type === "bind" && !mount.createSource)) return []
      if (mount.source === undefined) return []
      return [`${mount.source}:${mount.target}${mount.readOnly ? ":ro" : ""}`]
    }),
    ContainerIDFile: "",
    LogConfig: { Type: options.log.driver, Config: options.log.options },
    NetworkMode: networkModeText(options.network),
    PortBindings: portMap(options.ports),
    RestartPolicy: { Name: options.restart.name, MaximumRetryCount: options.restart.maximumRetryCount },
    AutoRemove: options.autoRemove,
    VolumeDriver: "",
    VolumesFrom: null,
    ConsoleSize: [0, 0],
    CapAdd: orNull(options.capAdd),
    CapDrop: orNull(options.capDrop),
    CgroupnsMode: "private",
    Dns: options.dns,
    DnsOptions: options.dnsOptions,
    DnsSearch: options.dnsSearch,
    ExtraHosts: orNull(options.extraHosts),
    GroupAdd: orNull(options.groupAdd ?? []),
    IpcMode: "private",
    Cgroup: "",
    Links: null,
    OomScoreAdj: 0,
    PidMode: "",
    Privileged: options.privileged,
    PublishAllPorts: options.publishAll,
    ReadonlyRootfs: options.readOnly,
    SecurityOpt: orNull(options.securityOptions),
    Sysctls: options.sysctls,
    Tmpfs: Object.fromEntries(
      mounts.flatMap((mount) => (mount.type === "tmpfs" ? [[mount.target, (mount.options ?? []).join(",")]] : [])),
    ),
    UTSMode: "",
    UsernsMode: "",
    ShmSize: options.shmSizeBytes ?? 64 * 1024 * 1024,
    Runtime: spec.runtime,
    Isolation: "",
    CpuShares: resources.cpuShares ?? 0,
    Memory: resources.memoryBytes ?? 0,
    NanoCpus: Math.round((resources.cpus ?? 0) * 1e9),
    CgroupParent: "",
    BlkioWeight: resources.blkioWeight ?? 0,
    CpuPeriod: resources.cpuPeriodUs ?? 0,
    CpuQuota: resources.cpuQuotaUs ?? 0,
    CpusetCpus: resources.cpusetCpus ?? "",
    CpusetMems: resources.cpusetMems ?? "",
    Devices: options.devices.map((device) => ({
      PathOnHost: device.hostPath,
      PathInContainer: device.containerPath,
      CgroupPermissions: device.permissions,
    })),
    MemoryReservation: resources.memoryReservationBytes ?? 0,
    MemorySwap: resources.memorySwapBytes ?? (resources.memoryBytes ?? 0) * 2,
    OomKillDisable: resources.oomKillDisable ?? false,
    PidsLimit: resources.pidsLimit ?? null,
    Ulimits: options.ulimits.map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard })),
    Init: options.init,
    StopTimeout: run.stopTimeoutSeconds,
  }
}

function configDocument({ spec }: ContainerRecord, platform: string | undefined): Record<string, unknown> {
  const { options, run, mounts } = spec
  return {
    Hostname: run.hostname,
    Domainname: options.domainname ?? "",
    User: run.user,
    AttachStdin: options.stdin,
    AttachStdout: true,
    AttachStderr: true,
    ExposedPorts: Object.fromEntries(
      [...run.exposedPorts, ...run.ports.map((port) => `${port.containerPort}/${port.protocol}`)].map((key) => [
        key,
        {},
      ]),
    ),
    Tty: options.tty,
    OpenStdin: options.stdin,
    StdinOnce: options.stdin,
    Env: run.env,
    Cmd: run.command,
    Image: options.image,
    Volumes: Object.fromEntries(
      mounts.flatMap((mount) => (mount.type === "volume" && mount.anonymous ? [[mount.target, {}]] : [])),
    ),
    WorkingDir: run.workdir,
    Entrypoint: run.entrypoint.length === 0 ? null : run.entrypoint,
    Labels: run.labels,
    StopSignal: run.stopSignal,
    StopTimeout: run.stopTimeoutSeconds,
    ...(run.healthcheck === undefined ? {} : { Healthcheck: run.healthcheck }),
    ...(platform === undefined ? {} : { Platform: platform }),
  }
}

function networkSettings(record: ContainerRecord): Record<string, unknown> {
  const { id, spec, state } = record
  const { network } = spec.options
  const { endpoint } = state
  const summary = {
    EndpointID: endpoint === undefined ? "" : id,
    Gateway: endpoint?.gateway ?? "",
    GlobalIPv6Address: "",
    GlobalIPv6PrefixLen: 0,
    IPAddress: endpoint?.address ?? "",
    IPPrefixLen: endpoint?.prefixLength ?? 0,
    IPv6Gateway: "",
    MacAddress: endpoint?.macAddress ?? "",
  }
  const exposed = endpoint === undefined ? {} : Object.fromEntries(spec.run.exposedPorts.map((key) => [key, null]))
  return {
    Bridge: "",
    SandboxID: endpoint === undefined ? "" : id,
    SandboxKey: state.pid === undefined || endpoint === undefined ? "" : `/proc/${state.pid}/ns/net`,
    Ports: { ...exposed, ...portMap(endpoint?.ports ?? []) },
    ...summary,
    Networks:
      network.kind === "container"
        ? {}
        : {
            [network.kind === "bridge" ? network.name : network.kind]: {
              IPAMConfig: null,
              Links: null,
              Aliases: null,
              DriverOpts: null,
              NetworkID: endpoint?.network ?? "",
              DNSNames: null,
              ...summary,
            },
          },
  }
}

function networkModeText(mode: NetworkMode): string {
  switch (mode.kind) {
    case "bridge":
      return mode.name
    case "container":
      return `container:${mode.container}`
    default:
      return mode.kind
  }
}

function portMap(ports: readonly PortMapping[]): Record<string, { HostIp: string; HostPort: string }[]> {
  const map: Record<string, { HostIp: string; HostPort: string }[]> = {}
  for (const { containerPort, protocol, hostAddress, hostPort } of ports)
    (map[`${containerPort}/${protocol}`] ??= []).push({
      HostIp: hostAddress ?? "0.0.0.0",
      HostPort: hostPort === 0 ? "" : `${hostPort}`,
    })
  return map
}

async function mountDocuments(deps: ContainerDeps, mounts: readonly MountPoint[]): Promise<Record<string, unknown>[]> {
  if (mounts.length === 0) return []
  const volumes = await deps.volumes()
  return mounts.map((mount) =>
    mountDocument(mount, mount.name === undefined ? mount.source : volumes.mountpoint(mount.name)),
  )
}

function mountDocument(mount: MountPoint, source: string): Record<string, unknown> {
  const { type, target, readOnly, name, propagation } = mount
  return {
    Type: type,
    ...(name === undefined ? {} : { Name: name }),
    Source: source,
    Destination: target,
    ...(type === "volume" ? { Driver: "local" } : {}),
    Mode: readOnly ? "ro" : "",
    RW: !readOnly,
    Propagation: propagation ?? (type === "bind" ? "rprivate" : ""),
  }
}

function orNull<T>(values: readonly T[]): readonly T[] | null {
  return values.length === 0 ? null : values
}
