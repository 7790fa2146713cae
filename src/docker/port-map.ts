import type { PortMapping } from "../spec/docker/port-mapping.ts"

/**
 * Docker's `PortBindings` and `Ports`: by `80/tcp`, where on the host. A port of the host that is not chosen yet is an empty text, or the
 * range to choose from. `anyAddress` is what stands for all addresses: nothing with docker, `0.0.0.0` with podman.
 */
export function portMap(
  ports: readonly PortMapping[],
  anyAddress = "",
): Record<string, { HostIp: string; HostPort: string }[]> {
  const map: Record<string, { HostIp: string; HostPort: string }[]> = {}
  for (const { containerPort, protocol, hostAddress, hostPort, lastHostPort } of ports)
    (map[`${containerPort}/${protocol}`] ??= []).push({
      HostIp: hostAddress ?? anyAddress,
      HostPort: hostPort === 0 ? "" : lastHostPort === undefined ? `${hostPort}` : `${hostPort}-${lastHostPort}`,
    })
  return sortedByKey(map)
}

/** As a map is printed in Go. Pure. */
export function sortedByKey<T>(map: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(map).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
