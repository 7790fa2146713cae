import { capabilityName, type ContainerSettings } from "./container-settings.ts"
import type { ContainerDetails, ContainerOptions, ResolvedOptions } from "../../../container/container.ts"

/** Of a container that was made. Pure. */
export function settingsOfContainer({
  name,
  imageName,
  options,
  mounts,
  run,
  argv,
}: ContainerDetails): ContainerSettings {
  return {
    ...settingsOfOptions(options),
    name,
    image: imageName,
    user: run.user,
    mounts: mounts
      .filter(({ type }) => type === "bind" || type === "volume")
      .map((mount) => ({
        source: mount.type === "volume" ? (mount.name ?? "") : mount.source,
        target: mount.target,
        readOnly: mount.readOnly,
        propagation: mount.propagation,
      })),
    ports: run.ports.map(portSetting),
    hasHealthCheck: hasCheck(run.healthcheck),
    command: argv,
  }
}

/** Of one that is to be made. Pure. */
export function settingsOfOptions(options: ContainerOptions | ResolvedOptions): ContainerSettings {
  const { namespaces, resources = {}, network, limits } = options
  return {
    name: options.name ?? options.image,
    image: options.image,
    user: options.user,
    privileged: options.privileged ?? false,
    capAdd: (options.capAdd ?? []).map(capabilityName),
    readOnlyRoot: options.readOnly ?? false,
    mounts: (options.mounts ?? []).flatMap((mount) =>
      mount.type === "bind" || mount.type === "volume"
        ? [
            {
              source: mount.source ?? "",
              target: mount.target,
              readOnly: mount.readOnly ?? false,
              ...(mount.type === "bind" && mount.propagation !== undefined ? { propagation: mount.propagation } : {}),
            },
          ]
        : [],
    ),
    network: network === undefined ? "" : network.kind === "bridge" ? network.name : network.kind,
    pid: namespaces?.pid?.kind ?? "",
    ipc: namespaces?.ipc?.kind ?? "",
    uts: namespaces?.uts?.kind ?? "",
    userNamespace: options.userNamespace?.kind ?? "",
    cgroup: namespaces?.cgroup?.kind ?? "",
    cgroupParent: limits?.cgroupParent ?? "",
    ports: (options.ports ?? []).map(portSetting),
    memoryBytes: resources.memoryBytes,
    hasCpuLimit:
      resources.cpus !== undefined ||
      resources.cpuShares !== undefined ||
      resources.cpuQuotaUs !== undefined ||
      resources.cpusetCpus !== undefined,
    pidsLimit: resources.pidsLimit,
    restart: { name: options.restart?.name ?? "no", maximumRetryCount: options.restart?.maximumRetryCount ?? 0 },
    securityOptions: options.securityOptions ?? [],
    devices: (options.devices ?? []).map(({ hostPath }) => hostPath),
    hasHealthCheck: undefined,
    command: options.command ?? [],
  }
}

function portSetting(port: { hostAddress?: string; hostPort: number; containerPort: number }) {
  return { hostAddress: port.hostAddress ?? "", hostPort: port.hostPort, containerPort: port.containerPort }
}

function hasCheck(check: { Test?: readonly string[] } | undefined): boolean {
  return check?.Test !== undefined && check.Test.length > 0 && check.Test[0] !== "NONE"
}
