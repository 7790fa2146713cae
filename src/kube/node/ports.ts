import type { Container, ContainerPort } from "kubernetes-types/core/v1"
import { isIpAddress } from "../../spec/docker/ip-address.ts"
import { checkPortCount, type PortMapping, type Protocol } from "../../spec/docker/port-mapping.ts"
import { fieldFault } from "./field-fault.ts"

/** A port of a container by its number or its name. Throws InvalidArgument. Pure. */
export function portNumber(port: number | string, { ports = [] }: Container, path: string): number {
  const number = typeof port === "string" && /^\d{1,5}$/.test(port) ? Number(port) : port
  if (typeof number === "number") return checkedPort(number, path)
  const named = ports.find(({ name }) => name === number)
  if (named === undefined) throw fieldFault(path, `unknown port: ${String(number).slice(0, 60)}`)
  return checkedPort(named.containerPort, path)
}

/** Ports of all containers that the host is to have. Throws InvalidArgument. Pure. */
export function publishedPorts(
  containers: readonly { container: Container; path: string }[],
  publishAll: boolean,
): PortMapping[] {
  const all = containers.flatMap(({ container, path }) =>
    (container.ports ?? []).map((port, index) => ({ port, path: `${path}.ports[${index}]` })),
  )
  checkPortCount(all.length)
  return all.flatMap(({ port, path }) => mappingOf(port, path, publishAll) ?? [])
}

function mappingOf(port: ContainerPort, path: string, publishAll: boolean): PortMapping | undefined {
  const { hostPort = 0, hostIP } = port
  // as podman: a port of the host alone is the container's, too
  const containerPort = port.containerPort ?? hostPort
  checkedPort(containerPort, `${path}.containerPort`)
  const protocol = protocolOf(port.protocol, path)
  if (hostIP && !isIpAddress(hostIP)) throw fieldFault(`${path}.hostIP`, `"${hostIP.slice(0, 60)}" is no address`)
  if (hostPort === 0 && !publishAll) return undefined
  return {
    protocol,
    containerPort,
    hostPort: hostPort === 0 ? containerPort : checkedPort(hostPort, `${path}.hostPort`),
    ...(hostIP && { hostAddress: hostIP }),
  }
}

function protocolOf(protocol: string | undefined, path: string): Protocol {
  const word = (protocol || "tcp").toLowerCase()
  if (word === "tcp" || word === "udp" || word === "sctp") return word
  throw fieldFault(`${path}.protocol`, `"${word.slice(0, 20)}" is none of TCP, UDP and SCTP`)
}

function checkedPort(port: number, path: string): number {
  if (port < 1 || port > 65_535) throw fieldFault(path, `${port} is no port`, "expected 1 to 65535")
  return port
}
