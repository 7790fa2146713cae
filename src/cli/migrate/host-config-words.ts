/** The command line that would make a container of docker, of its HostConfig and Config (Docker Engine API, `ContainerInspect`). Pure. */
import { csvField } from "./csv-field.ts"
import { networkOwnerOf, type ForeignContainer } from "./foreign-container.ts"

/** Words of `create`, without image, command, environment, labels and mounts of files; and what none of them says. */
export interface CreateWords {
  words: string[]
  notes: string[]
}

type Values = Readonly<Record<string, unknown>>

/** Flags whose value HostConfig has as it is; what is empty, false or 0 is the default. */
const PLAIN: Readonly<Record<string, string>> = {
  BlkioWeight: "blkio-weight",
  CgroupParent: "cgroup-parent",
  CgroupnsMode: "cgroupns",
  CpuPeriod: "cpu-period",
  CpuQuota: "cpu-quota",
  CpuRealtimePeriod: "cpu-rt-period",
  CpuRealtimeRuntime: "cpu-rt-runtime",
  CpuShares: "cpu-shares",
  CpusetCpus: "cpuset-cpus",
  CpusetMems: "cpuset-mems",
  IpcMode: "ipc",
  Memory: "memory",
  MemoryReservation: "memory-reservation",
  MemorySwap: "memory-swap",
  OomScoreAdj: "oom-score-adj",
  PidMode: "pid",
  PidsLimit: "pids-limit",
  ShmSize: "shm-size",
  UTSMode: "uts",
  UsernsMode: "userns",
}

const SWITCHES: Readonly<Record<string, string>> = {
  AutoRemove: "rm",
  Init: "init",
  OomKillDisable: "oom-kill-disable",
  Privileged: "privileged",
  PublishAllPorts: "publish-all",
  ReadonlyRootfs: "read-only",
}

const LISTS: Readonly<Record<string, string>> = {
  CapAdd: "cap-add",
  CapDrop: "cap-drop",
  DeviceCgroupRules: "device-cgroup-rule",
  Dns: "dns",
  DnsOptions: "dns-option",
  DnsSearch: "dns-search",
  ExtraHosts: "add-host",
  GroupAdd: "group-add",
}

const LOG_DRIVERS = new Set(["json-file", "k8s-file", "journald", "none", "passthrough", "local"])

/** What the container was made with. */
export function hostConfigWords(container: ForeignContainer): CreateWords {
  const { HostConfig: host } = container
  const notes: string[] = []
  const words = [
    ...Object.entries(PLAIN).flatMap(([key, name]) =>
      isDefault(key, host[key]) ? [] : [`--${name}=${String(host[key])}`],
    ),
    ...Object.entries(SWITCHES).flatMap(([key, name]) => (host[key] === true ? [`--${name}`] : [])),
    ...Object.entries(LISTS).flatMap(([key, name]) => texts(host[key]).map((text) => `--${name}=${text}`)),
    ...numbers(host),
    ...restartWords(host),
    ...portWords(host),
    ...networkWords(container, notes),
    ...Object.entries(record(host.Sysctls)).map(([key, value]) => `--sysctl=${key}=${String(value)}`),
    ...Object.entries(record(host.Tmpfs)).map(
      ([path, options]) => `--tmpfs=${path}${options ? `:${String(options)}` : ""}`,
    ),
    ...(host.Ulimits ?? []).map(
      ({ Name, Soft, Hard }) => `--ulimit=${limitName(Name)}=${String(Soft)}:${String(Hard)}`,
    ),
    ...(host.Devices ?? []).map(
      ({ PathOnHost, PathInContainer, CgroupPermissions }) =>
        `--device=${[PathOnHost, PathInContainer, CgroupPermissions].filter(Boolean).map(String).join(":")}`,
    ),
    ...memoryMounts(host.Mounts ?? []),
    ...securityWords(host, notes),
    ...logWords(record(host.LogConfig), notes),
    ...configWords(container),
  ]
  if (Array.isArray(host.DeviceRequests) && host.DeviceRequests.length > 0)
    notes.push("its GPUs are not asked for: give them by --gpus or --device")
  if (Array.isArray(host.Links) && host.Links.length > 0) notes.push("its links are left out: networks find it by name")
  return { words, notes }
}

function isDefault(key: string, value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === 0 || value === "default") return true
  if (key === "PidsLimit" || key === "MemorySwap") return Number(value) === 0
  // what a container has of its own is the default here; the host's is said
  return typeof value === "string" && ["private", "shareable"].includes(value) && key !== "IpcMode"
}

function numbers({ NanoCpus, MemorySwappiness }: Values): string[] {
  return [
    ...(typeof NanoCpus === "number" && NanoCpus > 0 ? [`--cpus=${NanoCpus / 1e9}`] : []),
    ...(typeof MemorySwappiness === "number" && MemorySwappiness >= 0
      ? [`--memory-swappiness=${MemorySwappiness}`]
      : []),
  ]
}

function restartWords({ RestartPolicy }: ForeignContainer["HostConfig"]): string[] {
  const { Name = "", MaximumRetryCount = 0 } = RestartPolicy ?? {}
  if (Name === "" || Name === "no") return []
  return [`--restart=${Name}${MaximumRetryCount > 0 ? `:${MaximumRetryCount}` : ""}`]
}

function portWords({ PortBindings }: Values): string[] {
  return Object.entries(record(PortBindings)).flatMap(([port, bindings]) =>
    (Array.isArray(bindings) ? (bindings as Values[]) : []).map(({ HostIp = "", HostPort = "" }) => {
      const ip = String(HostIp).includes(":") ? `[${String(HostIp)}]` : String(HostIp)
      const side = ip === "" ? String(HostPort) : `${ip}:${String(HostPort)}`
      return `--publish=${side === "" ? "" : `${side}:`}${port}`
    }),
  )
}

/** Networks with addresses and names; short ids are given anew. */
function networkWords(container: ForeignContainer, notes: string[]): string[] {
  const mode = container.HostConfig.NetworkMode ?? ""
  if (mode === "host" || mode === "none") return [`--network=${mode}`]
  if (networkOwnerOf(container) !== undefined) return [`--network=${mode}`]
  if (mode.startsWith("slirp4netns") || mode.startsWith("pasta")) {
    notes.push(`its network was ${mode}: it is on the default network here`)
    return []
  }
  const networks = Object.entries(container.NetworkSettings?.Networks ?? {})
  return networks.flatMap(([name, { IPAMConfig, Aliases = [] }]) => {
    if (name === "bridge" || name === "podman") return networks.length === 1 ? [] : ["--network=bridge"]
    const aliases = Aliases.filter((alias) => !container.Id.startsWith(alias) && alias !== container.Name)
    const fields = [
      ...(IPAMConfig?.IPv4Address ? [`ip=${IPAMConfig.IPv4Address}`] : []),
      ...(IPAMConfig?.IPv6Address ? [`ip6=${IPAMConfig.IPv6Address}`] : []),
      ...aliases.map((alias) => `alias=${alias}`),
    ]
    return [`--network=${fields.length === 0 ? name : ["name=".concat(name), ...fields].join(",")}`]
  })
}

/** `--mount type=tmpfs`; all other mounts are told elsewhere, as they are in the end. */
function memoryMounts(mounts: readonly Values[]): string[] {
  return mounts.flatMap(({ Type, Target, TmpfsOptions }) => {
    if (Type !== "tmpfs") return []
    const { SizeBytes, Mode } = record(TmpfsOptions)
    const fields = [
      "type=tmpfs",
      `dst=${String(Target)}`,
      ...(SizeBytes ? [`tmpfs-size=${String(SizeBytes)}`] : []),
      ...(Mode ? [`tmpfs-mode=${Number(Mode).toString(8)}`] : []),
    ]
    return [`--mount=${fields.map(csvField).join(",")}`]
  })
}

function securityWords({ SecurityOpt }: Values, notes: string[]): string[] {
  return texts(SecurityOpt).flatMap((option) => {
    if (option.startsWith("label")) return []
    // docker keeps the profile itself, not its file's name
    if (!/^seccomp[=:]\s*\{/.test(option)) return [`--security-opt=${option}`]
    notes.push("its seccomp profile is left out: give it as a file by --security-opt seccomp=FILE")
    return []
  })
}

function logWords({ Type = "", Config }: Values, notes: string[]): string[] {
  const driver = String(Type)
  if (driver === "" || driver === "json-file") return optionsOf(Config)
  if (LOG_DRIVERS.has(driver)) return [`--log-driver=${driver}`, ...optionsOf(Config)]
  notes.push(`its log driver ${driver} is not there: what it writes is kept in a file`)
  return []
}

function optionsOf(config: unknown): string[] {
  return Object.entries(record(config)).map(([key, value]) => `--log-opt=${key}=${String(value)}`)
}

function configWords({ Id, Config }: ForeignContainer): string[] {
  const { Hostname = "", Domainname, User, WorkingDir, StopSignal, StopTimeout, Healthcheck } = Config
  return [
    ...(Hostname === "" || Id.startsWith(Hostname) ? [] : [`--hostname=${Hostname}`]),
    ...(Domainname ? [`--domainname=${Domainname}`] : []),
    ...(User ? [`--user=${User}`] : []),
    ...(WorkingDir ? [`--workdir=${WorkingDir}`] : []),
    ...(Config.Tty ? ["--tty"] : []),
    ...(Config.OpenStdin ? ["--interactive"] : []),
    ...(StopSignal ? [`--stop-signal=${StopSignal}`] : []),
    ...(StopTimeout === undefined ? [] : [`--stop-timeout=${StopTimeout}`]),
    ...Object.keys(Config.ExposedPorts ?? {}).map((port) => `--expose=${port}`),
    ...healthWords(Healthcheck),
  ]
}

/** Times are nanoseconds; 0 is the default. */
function healthWords({ Test, Retries, ...times }: Values = {}): string[] {
  const [kind, ...test] = texts(Test)
  if (kind === "NONE") return ["--no-healthcheck"]
  const command = kind === "CMD-SHELL" ? test[0] : kind === "CMD" ? JSON.stringify(test) : undefined
  const names = {
    Interval: "interval",
    Timeout: "timeout",
    StartPeriod: "start-period",
    StartInterval: "start-interval",
  }
  return [
    ...(command === undefined ? [] : [`--health-cmd=${command}`]),
    ...(Retries ? [`--health-retries=${String(Retries)}`] : []),
    ...Object.entries(names).flatMap(([key, name]) =>
      times[key] ? [`--health-${name}=${Number(times[key]) / 1e6}ms`] : [],
    ),
  ]
}

/** Podman says RLIMIT_NOFILE. */
function limitName(name: unknown): string {
  return String(name)
    .replace(/^RLIMIT_/, "")
    .toLowerCase()
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : []
}

function record(value: unknown): Values {
  return typeof value === "object" && value !== null ? (value as Values) : {}
}
