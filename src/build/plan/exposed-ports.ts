import { InvalidArgument } from "../../base/errors.ts"
import { checkPortCount } from "../../spec/docker/port-mapping.ts"
import { isIpAddress } from "../../spec/docker/ip-address.ts"

/** EXPOSE, parsed. */
export interface ExposedPorts {
  /** `80/tcp`, in the order given, a range spelled out. */
  ports: string[]
  /** Whether it was written `Tcp` and the like. */
  hasUpperCase: boolean
  /** Whether it names an address or a port of the host, which mean nothing here. */
  hasHost: boolean
}

/**
 * Parses what EXPOSE names: `80`, `80/udp`, `8000-8010`, and for old times' sake `[ip:]host:80`. `before`: how many
 * the stage has named already. Throws InvalidArgument, before it spells out too many.
 */
export function parseExposedPort(text: string, before = 0): ExposedPorts {
  const parts = text.split(":")
  const container = parts.at(-1) ?? ""
  const hostPort = parts.at(-2) ?? ""
  const address = parts.slice(0, -2).join(":")
  const slash = container.indexOf("/")
  const range = slash < 0 ? container : container.slice(0, slash)
  const protocol = slash < 0 ? "" : container.slice(slash + 1)
  const fail = (why: string) =>
    new InvalidArgument(`invalid port: ${JSON.stringify(text)}: ${why}`, { hint: "write EXPOSE 80 or EXPOSE 53/udp" })
  if (range === "") throw fail("no port specified")
  if (!/^(?:|tcp|udp|sctp)$/i.test(protocol)) throw fail(`invalid proto: ${protocol}`)
  if (address !== "" && !isIpAddress(address.replace(/^\[(.*)\]$/, "$1"))) throw fail(`invalid IP address: ${address}`)
  const ports = parseRange(range, before)
  if (ports === undefined) throw fail(`invalid containerPort: ${range}`)
  const hostPorts = hostPort === "" ? undefined : parseRange(hostPort)
  if (hostPort !== "" && hostPorts === undefined) throw fail(`invalid hostPort: ${hostPort}`)
  if (hostPorts !== undefined && ports.length !== 1 && hostPorts.length !== ports.length)
    throw fail(`invalid ranges specified for container and host Ports: ${range} and ${hostPort}`)
  return {
    ports: ports.map((port) => `${port}/${protocol.toLowerCase() || "tcp"}`),
    hasUpperCase: protocol !== protocol.toLowerCase(),
    hasHost: address !== "" || hostPort !== "",
  }
}

function parseRange(text: string, before = 0): number[] | undefined {
  const [, low = "", high = low] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? []
  const [first, last] = [Number(low), Number(high)]
  if (low === "" || last < first || last > 65535) return undefined
  checkPortCount(before + last - first + 1)
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}
