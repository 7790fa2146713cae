import { HEALTH_TIMES, withDurations } from "./duration-field.ts"
import { shortId } from "../base/short-id.ts"
import type {
  ContainerDetails,
  ContainerSize,
  GivenSecret,
  IpcMode,
  UserNamespaceMode,
  MountPoint,
  NetworkAttachment,
  NetworkMode,
} from "../container/container.ts"
import { isAskedByMount, mountRequestDocuments } from "./mount-request-document.ts"
import { endedText } from "./ended-text.ts"
import { endpointId } from "./endpoint-id.ts"
import { portMap, sortedByKey } from "./port-map.ts"
import { attachmentsOf, portsByFamily } from "./port-text.ts"
import { healthDocument } from "./health-document.ts"
import { resourcesDocument } from "./resources-document.ts"
import { formatMountWords } from "../spec/docker/mount-words.ts"
import { formatPlatform } from "../spec/platform.ts"

const NO_TIME = "0001-01-01T00:00:00Z"

/** Docker's inspect document (Engine API, ContainerInspect), by its names; `size` adds what it takes on disk. */
export function containerDocument(container: ContainerDetails, size?: ContainerSize): Record<string, unknown> {
  const { id, name, argv, image, files, storage, options } = container
  const [path = "", ...args] = argv
  return {
    Id: id,
    Created: container.createdAt.toISOString(),
    Path: path,
    Args: args,
    State: stateDocument(container),
    Image: container.imageId,
    ResolvConfPath: files.resolvConf,
    HostnamePath: files.hostname,
    HostsPath: files.hosts,
    LogPath: container.logPath ?? "",
    Name: `/${name}`,
    RestartCount: container.restartCount,
    Driver: storage.driver,
    Platform: image?.platform.os ?? "linux",
    ...(image === undefined ? {} : { ImageManifestDescriptor: { ...image.manifest, platform: image.platform } }),
    MountLabel: "",
    ProcessLabel: "",
    AppArmorProfile: apparmorOf(options.securityOptions),
    ExecIDs: container.runningExecs.length === 0 ? null : container.runningExecs,
    HostConfig: hostConfig(container),
    GraphDriver: { Name: storage.driver, Data: { UpperDir: storage.upperDirectory } },
    Mounts: container.mounts.map(mountDocument),
    Config: configDocument(container),
    NetworkSettings: networkSettings(container),
    ...(options.pod === undefined ? {} : { Pod: options.pod.id }),
    ...(options.runtime === undefined ? {} : { OCIRuntime: options.runtime }),
    ...(size === undefined ? {} : { SizeRw: size.writableBytes, SizeRootFs: size.rootBytes }),
  }
}

function stateDocument({ state, lastRun, ending, healthLog }: ContainerDetails): Record<string, unknown> {
  const { startedAt, exitCode, error, oomKilled, finishedAt } = lastRun
  const isUp = state.status === "running" || state.status === "paused"
  const finished = state.status === "exited" ? state.finishedAt : finishedAt
  return {
    Status: state.status,
    Running: isUp || state.status === "restarting",
    Paused: state.status === "paused",
    Restarting: state.status === "restarting",
    OOMKilled: oomKilled,
    Dead: false,
    Pid: isUp ? state.pid : 0,
    ExitCode: isUp ? 0 : state.status === "exited" ? state.exitCode : (exitCode ?? 0),
    Error: (state.status === "exited" ? state.error : error) ?? "",
    // ours: the same in words, where docker has nothing
    EndedBecause: isUp || ending === undefined ? "" : endedText(ending),
    StartedAt: time(startedAt),
    FinishedAt: time(finished),
    ...(healthLog === undefined ? {} : { Health: healthDocument(healthLog) }),
  }
}

function time(date: Date | undefined): string {
  return date === undefined ? NO_TIME : date.toISOString()
}

function hostConfig(container: ContainerDetails): Record<string, unknown> {
  const { options, mounts, run, runtime } = container
  return {
    Binds: options.mounts.flatMap((mount) => {
      if ((mount.type !== "volume" && mount.type !== "bind") || isAskedByMount(mount)) return []
      if (mount.source === undefined) return []
      const words = formatMountWords(mount)
      return [`${mount.source}:${mount.target}${words === "" ? "" : `:${words}`}`]
    }),
    ...mountsAsked(options.mounts),
    ContainerIDFile: "",
    LogConfig: { Type: options.log.driver, Config: options.log.options },
    NetworkMode: networkModeText(options),
    PortBindings: portMap(options.ports),
    RestartPolicy: { Name: options.restart.name, MaximumRetryCount: options.restart.maximumRetryCount },
    AutoRemove: options.autoRemove,
    VolumeDriver: "",
    VolumesFrom: orNull(
      (options.volumesFrom ?? []).map(
        ({ container: from, readOnly }) => `${from}${readOnly === undefined ? "" : readOnly ? ":ro" : ":rw"}`,
      ),
    ),
    ConsoleSize: [0, 0],
    CapAdd: orNull(options.capAdd),
    CapDrop: orNull(options.capDrop),
    CgroupnsMode: modeText(options.namespaces?.cgroup) || "private",
    Dns: options.dns,
    DnsOptions: options.dnsOptions,
    DnsSearch: options.dnsSearch,
    ExtraHosts: orNull(options.extraHosts),
    GroupAdd: orNull(options.groupAdd ?? []),
    IpcMode: modeText(options.namespaces?.ipc) || "private",
    Cgroup: "",
    Links: null,
    PidMode: modeText(options.namespaces?.pid),
    Privileged: options.privileged,
    PublishAllPorts: options.publishAll,
    ReadonlyRootfs: options.readOnly,
    SecurityOpt: orNull(options.securityOptions),
    Sysctls: options.sysctls,
    Tmpfs: Object.fromEntries(
      mounts.flatMap((mount) => (mount.type === "tmpfs" ? [[mount.target, (mount.options ?? []).join(",")]] : [])),
    ),
    UTSMode: modeText(options.namespaces?.uts),
    ...(options.annotations === undefined ? {} : { Annotations: options.annotations }),
    UsernsMode: userNamespaceText(options.userNamespace),
    ShmSize: options.shmSizeBytes ?? 64 * 1024 * 1024,
    Runtime: runtime,
    Isolation: "",
    ...resourcesDocument(container),
    DeviceRequests: deviceRequests(options.security?.cdiDevices),
    Devices: options.devices.map((device) => ({
      PathOnHost: device.hostPath,
      PathInContainer: device.containerPath,
      CgroupPermissions: device.permissions,
    })),
    Init: options.init,
    StopTimeout: run.stopTimeoutSeconds,
  }
}

function mountsAsked(requests: ContainerDetails["options"]["mounts"]): Record<string, unknown> {
  const documents = mountRequestDocuments(requests)
  return documents.length === 0 ? {} : { Mounts: documents }
}

function apparmorOf(securityOptions: readonly string[]): string {
  return securityOptions.findLast((option) => /^apparmor[=:]/.test(option))?.slice("apparmor=".length) ?? ""
}

/** As docker tells of devices by the Container Device Interface. */
function deviceRequests(names: readonly string[] | undefined): Record<string, unknown>[] | null {
  if (names === undefined) return null
  return [{ Driver: "cdi", Count: 0, DeviceIDs: names, Capabilities: null, Options: null }]
}

function configDocument({ options, run, mounts, secrets, image }: ContainerDetails): Record<string, unknown> {
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
    ...(options.process?.umask === undefined ? {} : { Umask: options.process.umask.toString(8).padStart(4, "0") }),
    ...(options.etc?.timeZone === undefined ? {} : { Timezone: options.etc.timeZone }),
    StopTimeout: run.stopTimeoutSeconds,
    ...(secrets.length === 0 ? {} : { Secrets: secrets.map(secretDocument) }),
    ...(run.healthcheck === undefined ? {} : { Healthcheck: withDurations(run.healthcheck, HEALTH_TIMES) }),
    ...(image === undefined ? {} : { Platform: formatPlatform(image.platform) }),
  }
}

function networkSettings(container: ContainerDetails): Record<string, unknown> {
  const { id, run, options, state } = container
  const attachments = attachmentsOf(container)
  const { network } = options
  const pid = "pid" in state ? state.pid : undefined
  const isJoined = attachments.some(({ endpoint }) => endpoint !== undefined)
  const exposed = isJoined ? Object.fromEntries(run.exposedPorts.map((key) => [key, null])) : {}
  const networks =
    network.kind === "bridge" || attachments.length > 0
      ? attachments
      : network.kind === "container"
        ? []
        : [{ network: network.kind }]
  return {
    Bridge: "",
    SandboxID: isJoined ? id : "",
    SandboxKey: pid === undefined || !isJoined ? "" : `/proc/${pid}/ns/net`,
    Ports: sortedByKey({ ...exposed, ...portMap(portsByFamily(container)) }),
    ...endpointSummary(id, attachments[0]),
    Networks: Object.fromEntries(networks.map((one) => [one.network, endpointDocument(container, one)])),
  }
}

function endpointDocument({ id, name, run }: ContainerDetails, attachment: NetworkAttachment): Record<string, unknown> {
  const { network, address, address6, aliases, links, driverOptions, gatewayPriority = 0, endpoint } = attachment
  const isStatic = address !== undefined || address6 !== undefined
  // docker's: on the default network nobody is found by a name
  const names = [...new Set([name, ...(aliases ?? []), shortId(id), run.hostname])]
  return {
    IPAMConfig: isStatic
      ? { ...(address && { IPv4Address: address }), ...(address6 && { IPv6Address: address6 }) }
      : null,
    Links: links ?? null,
    Aliases: aliases ?? null,
    DriverOpts: driverOptions ?? null,
    GwPriority: gatewayPriority,
    NetworkID: endpoint?.networkId ?? "",
    DNSNames: network === "bridge" ? null : names,
    ...endpointSummary(id, attachment),
  }
}

/** Of one that is not joined, what was asked for. */
function endpointSummary(
  id: string,
  { endpoint, macAddress }: Partial<NetworkAttachment> = {},
): Record<string, unknown> {
  return {
    EndpointID: endpoint === undefined ? "" : endpointId(id, endpoint.networkId),
    Gateway: endpoint?.gateway ?? "",
    GlobalIPv6Address: endpoint?.address6 ?? "",
    GlobalIPv6PrefixLen: endpoint?.prefixLength6 ?? 0,
    IPAddress: endpoint?.address ?? "",
    IPPrefixLen: endpoint?.prefixLength ?? 0,
    IPv6Gateway: endpoint?.gateway6 ?? "",
    MacAddress: endpoint?.macAddress ?? macAddress ?? "",
  }
}

/** In a pod it is the sandbox's, as podman says of its infra container. */
function networkModeText({ network, sandbox }: ContainerDetails["options"]): string {
  if (network.kind === "bridge") return network.name
  return sandbox !== undefined && network.kind === "none" ? `container:${sandbox}` : modeText(network)
}

/** Podman says `private` of those that are given a map. */
function userNamespaceText(mode: UserNamespaceMode | undefined): string {
  if (mode === undefined) return ""
  if (mode.kind === "container" || mode.kind === "path") return modeText(mode)
  return mode.kind === "mapped" || mode.kind === "subordinate" || mode.kind === "as-caller" ? "private" : mode.kind
}

/** Docker's and podman's words; empty when nothing was said. */
function modeText(mode: IpcMode | Exclude<NetworkMode, { kind: "bridge" }> | undefined): string {
  if (mode?.kind === "container") return `container:${mode.container}`
  if (mode?.kind === "path") return `ns:${mode.path}`
  if (mode?.kind === "pasta") return ["pasta", mode.options.join(",")].filter(Boolean).join(":")
  return mode?.kind ?? ""
}

function mountDocument(mount: MountPoint): Record<string, unknown> {
  const { type, source, target, readOnly, name, propagation, volume, subpath } = mount
  return {
    Type: type,
    ...(name === undefined ? {} : { Name: name }),
    Source: source,
    Destination: target,
    ...(type === "volume" ? { Driver: volume?.driver ?? "local" } : {}),
    Mode: formatMountWords({ ...mount, propagation: undefined, options: isShown(type) ? mount.options : [] }),
    RW: !readOnly,
    Propagation: propagation ?? (type === "bind" ? "rprivate" : ""),
    ...(subpath === undefined ? {} : { SubPath: subpath }),
  }
}

/** Options of what is made for the container are not of its mode. */
const isShown = (type: MountPoint["type"]): boolean => type === "bind" || type === "volume"

/** Podman's InspectSecret: what is told of one never holds its bytes. */
function secretDocument(secret: GivenSecret): Record<string, unknown> {
  const { uid, gid, mode } = secret.kind === "mount" ? secret : { uid: 0, gid: 0, mode: 0 }
  return { Name: secret.name, ID: secret.id, UID: uid, GID: gid, Mode: mode }
}

function orNull<T>(values: readonly T[]): readonly T[] | null {
  return values.length === 0 ? null : values
}
