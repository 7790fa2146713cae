import { InvalidArgument } from "../../base/errors.ts"
import { isIpAddress } from "./ip-address.ts"
import { shortPublish } from "./publish-fields.ts"

/** Transport protocols that can be published. */
export type Protocol = "tcp" | "udp" | "sctp"

/** One published port; ranges are expanded by then. */
export interface PortMapping {
  protocol: Protocol
  containerPort: number
  /** 0: any free port is chosen at setup. */
  hostPort: number
  /** The first free one from `hostPort` to here is chosen at setup. */
  lastHostPort?: number
  /** Undefined: all addresses. */
  hostAddress?: string
}

/** Every port of tcp, udp and sctp: no container has more, and no list of them may make us work for more. */
export const MAX_PORTS = 65_535 * 3

/** Throws InvalidArgument when lists of ports name more than there are; to be asked before each is spelled out. */
export function checkPortCount(count: number): void {
  if (count > MAX_PORTS)
    throw new InvalidArgument(`more than ${MAX_PORTS} ports`, {
      hint: "each port of a range counts",
    })
}

interface Range {
  first: number
  last: number
}

const HINT = "expected [[IP:]HOSTPORT:]CONTAINERPORT[/PROTOCOL], such as 8080:80 or 127.0.0.1:8080:80/udp"

/**
 * Parses docker's and podman's `-p`: `80`, `8080:80`, `127.0.0.1:8080:80/udp`, `127.0.0.1::80`, `[::1]:80:80`, ranges of one length
 * `9000-9010:8000-8010`, the first free port of a range `8000-8010:80`, several protocols `53:53/tcp,udp`, several ports with commas
 * between them, and `published=8080,target=80`. Throws InvalidArgument in docker's words.
 */
export function parsePublish(text: string): PortMapping[] {
  if (text.includes("=")) return parseOne(shortPublish(text))
  return splitList(text).flatMap(parseOne)
}

function parseOne(text: string): PortMapping[] {
  const { body, protocols } = splitProtocols(text)
  const [, bracketed, plain, rest = ""] = /^(?:\[([^\]]*)\]:|([^:]*):(?=[^:]*:))?(.*)$/s.exec(body) ?? []
  const address = bracketed ?? plain
  const colon = rest.indexOf(":")
  const hostText = colon < 0 ? "" : rest.slice(0, colon)
  const containerText = rest.slice(colon + 1)
  if (containerText === "") throw invalid(`no port specified: ${text}<empty>`)
  if (address !== undefined && address !== "" && !isIpAddress(address)) throw invalid(`invalid IP address: ${address}`)
  const container = parseRange(containerText, "containerPort")
  const ports = pairs(container, parseHostPorts(hostText), () => {
    throw invalid(`invalid ranges specified for container and host Ports: ${containerText} and ${hostText}`)
  })
  const place = address ? { hostAddress: address } : {}
  return protocols.flatMap((protocol) => ports.map((port) => Object.assign({ protocol }, port, place)))
}

/** Undefined: any of the host's. */
function parseHostPorts(text: string): Range | undefined {
  return text === "" || /^0{1,5}$/.test(text) ? undefined : parseRange(text, "hostPort")
}

function pairs(
  container: Range,
  host: Range | undefined,
  refuse: () => never,
): Omit<PortMapping, "protocol" | "hostAddress">[] {
  const count = lengthOf(container)
  // docker's: one port inside gets the first of the range that is free
  if (host !== undefined && count === 1 && lengthOf(host) > 1)
    return [{ containerPort: container.first, hostPort: host.first, lastHostPort: host.last }]
  if (host !== undefined && lengthOf(host) !== count) refuse()
  return Array.from({ length: count }, (_, index) => ({
    containerPort: container.first + index,
    hostPort: host === undefined ? 0 : host.first + index,
  }))
}

function lengthOf({ first, last }: Range): number {
  return last - first + 1
}

/** Parses docker's `--expose`: `80`, `53/udp`, `8000-8010`, several with commas; gives `80/tcp` words. Throws InvalidArgument. */
export function parseExpose(text: string): string[] {
  return splitList(text).flatMap((one) => {
    const { body, protocols } = splitProtocols(one)
    if (body.includes(":")) throw invalid(`invalid format of an exposed port: ${one}`)
    const { first, last } = parseRange(body, "port")
    return protocols.flatMap((protocol) =>
      Array.from({ length: last - first + 1 }, (_, index) => `${first + index}/${protocol}`),
    )
  })
}

/** At commas, but for those between protocols: `53/tcp,udp` is one. */
function splitList(text: string): string[] {
  return text.split(/,(?!\s*(?:tcp|udp|sctp)\s*(?:,|$))/i)
}

function splitProtocols(text: string): { body: string; protocols: Protocol[] } {
  const slash = text.lastIndexOf("/")
  const words = slash < 0 ? ["tcp"] : text.slice(slash + 1).split(",")
  const protocols = words.map((word) => {
    const protocol = word.trim().toLowerCase()
    if (protocol !== "tcp" && protocol !== "udp" && protocol !== "sctp") throw invalid(`invalid proto: ${protocol}`)
    return protocol
  })
  return { body: (slash < 0 ? text : text.slice(0, slash)).trim(), protocols: [...new Set(protocols)] }
}

function parseRange(text: string, what: string): Range {
  const [, firstText = "", lastText = firstText] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? []
  const [first, last] = [Number(firstText), Number(lastText)]
  if (firstText === "" || first < 1 || last > 65535) throw invalid(`invalid ${what}: ${text}`)
  if (first > last) throw invalid(`invalid ${what}: ${text}: the range ends before it begins`)
  return { first, last }
}

function invalid(message: string): InvalidArgument {
  return new InvalidArgument(message, { hint: HINT })
}
