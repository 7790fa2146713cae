import { isIpAddress } from "../../spec/docker/ip-address.ts"
import { fault } from "./fault.ts"
import type { Origin, TreeMap } from "./tree.ts"

/** A first and a last port. */
interface PortRange {
  first: number
  last: number
}

/** `[[ip:]published:]target[/protocol]`, with ranges: one long form for each target. Throws InvalidArgument in docker's words. */
export function longPorts(text: string, origin?: Origin): TreeMap[] {
  const wrong = (message: string) => fault(message, origin)
  const { address, published, container } = splitPort(text)
  const [target = "", protocol = "tcp"] = splitProtocol(container)
  const host = parseAddress(address, wrong)
  if (target === "") throw wrong(`No port specified: ${text}<empty>`)
  const targets = parseRange(target)
  if (!targets) throw wrong(`Invalid containerPort: ${target}`)
  const hosts = published === "" ? undefined : parseRange(published)
  if (published !== "" && !hosts) throw wrong(`Invalid hostPort: ${published}`)
  if (hosts && lengthOf(hosts) !== lengthOf(targets) && lengthOf(targets) > 1)
    throw wrong(`Invalid ranges specified for container and host Ports: ${target} and ${published}`)
  if (!/^(tcp|udp|sctp)$/i.test(protocol)) throw wrong(`Invalid proto: ${protocol}`)
  return Array.from({ length: lengthOf(targets) }, (_, index) => ({
    mode: "ingress",
    ...(host !== "" && { host_ip: host }),
    target: targets.first + index,
    ...(hosts && { published: publishedAt(hosts, targets, index) }),
    protocol: protocol.toLowerCase(),
  }))
}

/** One port in the container takes any of the host's range. */
function publishedAt(hosts: PortRange, targets: PortRange, index: number): string {
  return lengthOf(targets) === 1 && lengthOf(hosts) > 1 ? `${hosts.first}-${hosts.last}` : String(hosts.first + index)
}

function splitPort(text: string): { address: string; published: string; container: string } {
  const parts = text.split(":")
  const container = parts.pop() ?? ""
  const published = parts.pop() ?? ""
  return { address: parts.join(":"), published, container }
}

function splitProtocol(container: string): string[] {
  const [target = "", ...protocol] = container.split("/")
  return protocol.length === 0 || protocol[0] === "" ? [target] : [target, protocol[0] ?? ""]
}

function parseAddress(text: string, wrong: (message: string) => Error): string {
  if (text === "") return ""
  const bracketed = /^\[([^\]]*)\]$/.exec(text)?.[1]
  if (bracketed === undefined && text.includes(":"))
    throw wrong(`Invalid ip address ${text}: address ${text}:: too many colons in address`)
  const address = bracketed ?? text
  if (!isIpAddress(address.replace(/%.*$/, ""))) throw wrong(`Invalid ip address: ${address}`)
  return address
}

function parseRange(text: string): PortRange | undefined {
  const [first = "", last = first, ...more] = text.split("-")
  if (!/^\d+$/.test(first) || !/^\d+$/.test(last) || more.length > 0) return undefined
  const range = { first: Number(first), last: Number(last) }
  return range.last < range.first || range.last > 65_535 ? undefined : range
}

function lengthOf({ first, last }: PortRange): number {
  return last - first + 1
}
