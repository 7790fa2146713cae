import { InvalidArgument, Unsupported } from "../../base/errors.ts"
import { isIpAddress } from "./ip-address.ts"

/** Transport protocols that can be published. */
export type Protocol = "tcp" | "udp" | "sctp"

/** One published port; ranges are expanded by then. */
export interface PortMapping {
  protocol: Protocol
  containerPort: number
  /** 0: any free port is chosen at setup. */
  hostPort: number
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
 * Parses docker's `-p`: `80`, `8080:80`, `127.0.0.1:8080:80/udp`, `127.0.0.1::80`, `[::1]:80:80`, and ranges of one length
 * `9000-9010:8000-8010`. Throws InvalidArgument in docker's words.
 */
export function parsePublish(text: string): PortMapping[] {
  const { body, protocol } = splitProtocol(text)
  const [, bracketed, plain, rest = ""] = /^(?:\[([^\]]*)\]:|([^:]*):(?=[^:]*:))?(.*)$/s.exec(body) ?? []
  const address = bracketed ?? plain
  const colon = rest.indexOf(":")
  const hostText = colon < 0 ? "" : rest.slice(0, colon)
  const containerText = rest.slice(colon + 1)
  if (containerText === "") throw invalid(`no port specified: ${text}<empty>`)
  if (address !== undefined && address !== "" && !isIpAddress(address)) throw invalid(`invalid IP address: ${address}`)
  const container = parseRange(containerText, "containerPort")
  const host = hostText === "" ? undefined : parseRange(hostText, "hostPort")
  const count = container.last - container.first + 1
  if (host && host.last - host.first + 1 !== count) {
    if (count === 1)
      throw new Unsupported(`a range of host ports for one container port: ${text}`, { hint: "give one host port" })
    throw invalid(`invalid ranges specified for container and host Ports: ${containerText} and ${hostText}`)
  }
  return Array.from({ length: count }, (_, index) => ({
    protocol,
    containerPort: container.first + index,
    hostPort: host === undefined ? 0 : host.first + index,
    ...(address ? { hostAddress: address } : {}),
  }))
}

/** Parses docker's `--expose`: `80`, `53/udp`, `8000-8010`; gives `80/tcp` words. Throws InvalidArgument. */
export function parseExpose(text: string): string[] {
  const { body, protocol } = splitProtocol(text)
  if (body.includes(":")) throw invalid(`invalid format of an exposed port: ${text}`)
  const { first, last } = parseRange(body, "port")
  return Array.from({ length: last - first + 1 }, (_, index) => `${first + index}/${protocol}`)
}

function splitProtocol(text: string): { body: string; protocol: Protocol } {
  const slash = text.lastIndexOf("/")
  const protocol = slash < 0 ? "tcp" : text.slice(slash + 1).toLowerCase()
  if (protocol !== "tcp" && protocol !== "udp" && protocol !== "sctp") throw invalid(`invalid proto: ${protocol}`)
  return { body: slash < 0 ? text : text.slice(0, slash), protocol }
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
