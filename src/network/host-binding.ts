import type { PortMapping } from "../spec/docker/port-mapping.ts"
import type { Network } from "./network.ts"

const OPTION = "com.docker.network.bridge.host_binding_ipv4"

/** Ports as they are published on a network: those that name no address of the host have the network's, where it has one. Pure. */
export function withHostBinding(
  { options }: Pick<Network, "options">,
  ports: readonly PortMapping[],
): readonly PortMapping[] {
  const binding = options.driverOptions?.[OPTION]
  // 0.0.0.0 is Docker's way to say what no address says
  if (binding === undefined || binding === "0.0.0.0") return ports
  return ports.map((port) =>
    port.hostAddress === undefined ? Object.assign({}, port, { hostAddress: binding }) : port,
  )
}
