/** What podman would make a container or a pod of (specgen's SpecGenerator and PodSpecGenerator), by its names. Pure. */
import type {
  ContainerDetails,
  MountPoint,
  NamespaceMode,
  NetworkMode,
  NetworkRequest,
  Resources,
} from "../container/container.ts"
import type { Pod } from "../pod/pod.ts"
import type { PortMapping } from "../spec/docker/port-mapping.ts"

const CPU_PERIOD_US = 100_000

/** A container as podman's API would be asked for it, under another name. */
export function containerSpecgen(details: ContainerDetails, name: string): object {
  const { options, run, secrets } = details
  const { log, restart } = options
  return withoutEmpty({
    name,
    pod: options.pod?.id,
    entrypoint: run.entrypoint,
    command: run.command,
    env: Object.fromEntries(
      run.env.map((entry) => [entry.slice(0, entry.indexOf("=")), entry.slice(entry.indexOf("=") + 1)]),
    ),
    terminal: options.tty,
    stdin: options.stdin,
    labels: run.labels,
    stop_timeout: run.stopTimeoutSeconds,
    log_configuration: { driver: log.driver, options: log.options },
    restart_policy: restart.name === "no" ? "" : restart.name,
    restart_tries: restart.maximumRetryCount,
    remove: options.autoRemove,
    hostname: run.hostname,
    sysctl: options.sysctls,
    image: details.imageName,
    raw_image_name: options.image,
    mounts: details.mounts.filter(({ type }) => type !== "volume").map(mountSpec),
    volumes: details.mounts.filter(({ type }) => type === "volume").map(volumeSpec),
    secrets: secrets.flatMap((one) =>
      one.kind === "mount"
        ? [{ Source: one.name, Target: one.target, UID: one.uid, GID: one.gid, Mode: one.mode }]
        : [],
    ),
    secret_env: Object.fromEntries(secrets.flatMap((one) => (one.kind === "env" ? [[one.variable, one.name]] : []))),
    init: options.init,
    init_container_type: options.initContainer,
    work_dir: run.workdir,
    user: run.user,
    groups: options.groupAdd,
    cap_add: options.capAdd,
    cap_drop: options.capDrop,
    privileged: options.privileged,
    no_new_privileges: options.securityOptions.some((one) => /^no-new-privileges(?:[:=]true)?$/.test(one)),
    read_only_filesystem: options.readOnly,
    ...namespaceSpecs(details),
    netns: networkSpec(options.network),
    portmappings: run.ports.map(portSpec),
    dns_server: options.dns,
    dns_search: options.dnsSearch,
    dns_option: options.dnsOptions,
    hostadd: options.extraHosts,
    static_ip: options.address,
    static_mac: options.macAddress,
    Networks: networksSpec(options.networks),
    devices: options.devices.map(({ hostPath, containerPath }) => ({ path: containerPath, host_path: hostPath })),
    r_limits: options.ulimits.map(({ name: limit, soft, hard }) => ({
      type: `RLIMIT_${limit.toUpperCase()}`,
      soft,
      hard,
    })),
    shm_size: options.shmSizeBytes,
    resource_limits: resourceSpec(options.resources),
  })
}

/** Several networks, by name. */
function networksSpec(networks: readonly NetworkRequest[] = []): object {
  return Object.fromEntries(
    networks.map(({ network, address, address6, macAddress, aliases, interface: name }) => [
      network,
      withoutEmpty({
        static_ips: [address, address6].filter((one) => one !== undefined),
        static_mac: macAddress,
        aliases: aliases ?? [],
        interface_name: name,
      }),
    ]),
  )
}

/** A pod as podman's API would be asked for it, under another name. */
export function podSpecgen({ options, sandboxId }: Pod, name: string): object {
  const hasSandbox = sandboxId !== undefined
  const shares = options.shares ?? (["ipc", "network", "uts"] as const)
  return withoutEmpty({
    name,
    hostname: options.hostname,
    exit_policy: options.exitPolicy ?? "continue",
    labels: options.labels ?? {},
    no_infra: !hasSandbox,
    infra_name: options.sandboxName,
    shared_namespaces: hasSandbox ? shares.map((kind) => (kind === "network" ? "net" : kind)).toSorted() : [],
    pidns: namespaceSpec(options.namespaces?.pid),
    utsns: namespaceSpec(options.namespaces?.uts),
    restart_policy: options.restart?.name,
    netns: networkSpec(options.network ?? { kind: "bridge", name: "bridge" }),
    portmappings: (options.ports ?? []).map(portSpec),
    static_ip: options.address,
    static_mac: options.macAddress,
    Networks: networksSpec(options.networks),
    dns_server: options.dns ?? [],
    dns_search: options.dnsSearch ?? [],
    dns_option: options.dnsOptions ?? [],
    hostadd: options.extraHosts ?? [],
    share_parent: options.sharesCgroup ?? true,
    cgroup_parent: options.cgroupParent,
    security_opt: options.securityOptions ?? [],
    sysctl: options.sysctls ?? {},
    shm_size: options.shmSizeBytes,
    resource_limits: resourceSpec(options.resources ?? {}),
  })
}

function mountSpec({ type, source, target, readOnly, options = [] }: MountPoint): object {
  const access = readOnly ? "ro" : "rw"
  return { destination: target, type, source: type === "tmpfs" ? "tmpfs" : source, options: [access, ...options] }
}

function volumeSpec({ name = "", target, readOnly, anonymous = false }: MountPoint): object {
  return { Name: name, Dest: target, Options: readOnly ? ["ro"] : ["rw"], IsAnonymous: anonymous }
}

function namespaceSpecs({ options }: ContainerDetails): object {
  const { pid, ipc, uts, cgroup } = options.namespaces ?? {}
  const isPods = options.sandbox !== undefined
  return {
    pidns: namespaceSpec(pid) ?? {},
    ipcns: ipc === undefined || ipc.kind === "shareable" || ipc.kind === "none" ? {} : (namespaceSpec(ipc) ?? {}),
    utsns: isPods ? { nsmode: "pod" } : (namespaceSpec(uts) ?? { nsmode: "private" }),
    cgroupns: namespaceSpec(cgroup) ?? {},
  }
}

function namespaceSpec(mode: NamespaceMode | undefined): object | undefined {
  if (mode === undefined) return undefined
  return {
    nsmode: mode.kind,
    value: mode.kind === "container" ? mode.container : mode.kind === "path" ? mode.path : undefined,
  }
}

function networkSpec(mode: NetworkMode): object {
  if (mode.kind === "bridge") return { nsmode: "bridge" }
  return { nsmode: mode.kind, value: mode.kind === "container" ? mode.container : undefined }
}

function portSpec({ hostAddress = "", containerPort, hostPort, protocol }: PortMapping): object {
  return { host_ip: hostAddress, container_port: containerPort, host_port: hostPort, range: 1, protocol }
}

function resourceSpec(resources: Resources): object | undefined {
  const { memoryBytes, memorySwapBytes, memoryReservationBytes, cpus, cpuShares, cpuQuotaUs, cpuPeriodUs } = resources
  const { cpusetCpus, cpusetMems, pidsLimit } = resources
  const isByCount = cpus !== undefined
  return withoutEmpty({
    memory: withoutEmpty({ limit: memoryBytes, swap: memorySwapBytes, reservation: memoryReservationBytes }),
    cpu: withoutEmpty({
      shares: cpuShares,
      quota: isByCount ? Math.round(cpus * CPU_PERIOD_US) : cpuQuotaUs,
      period: isByCount ? CPU_PERIOD_US : cpuPeriodUs,
      cpus: cpusetCpus,
      mems: cpusetMems,
    }),
    pids: pidsLimit === undefined ? undefined : { limit: pidsLimit },
  })
}

/** Go's omitempty, but for the namespaces, which podman always says. */
function withoutEmpty(object: Record<string, unknown>): object {
  return Object.fromEntries(
    Object.entries(object).filter(([name, value]) => {
      if (value === undefined || value === "" || value === false || value === 0) return false
      return name.endsWith("ns") || typeof value !== "object" || value === null || Object.keys(value).length > 0
    }),
  )
}
