/** The words of `--network`: Docker's and Podman's ways to name a network, and what a container is to have on it. */
import { InvalidArgument } from "../../base/errors.ts"
import type { NetworkMode, NetworkRequest } from "../../container/container.ts"
import { splitCsv } from "../../spec/docker/csv.ts"
import {
  applyDriverOption,
  noLinkLocal,
  parseDriverOption,
  parseIpv4Address,
  parseIpv6Address,
  parseMacAddress,
} from "../../spec/docker/endpoint-words.ts"
import { parseKeyValue } from "../../spec/docker/environment.ts"
import { parseNamespaceMode } from "../../spec/docker/namespace-mode.ts"

/** One occurrence of `--network`: networks by name, or a mode that stands alone. */
export type NetworkText = { mode: Exclude<NetworkMode, { kind: "bridge" }> } | { requests: readonly NetworkRequest[] }

/** What the tools that we stand in for call the default network. */
const DEFAULTS = new Set(["default", "private", ""])

/**
 * `a`, `a,b`, `a:ip=…,alias=…` (Podman), `name=a,alias=…,gw-priority=…` (Docker), `host`, `none`, `container:NAME`, `ns:PATH`. Throws
 * InvalidArgument.
 */
export function readNetwork(text: string): NetworkText {
  if (text === "none" || text === "host") return { mode: { kind: text } }
  if (text.startsWith("container:")) {
    const container = text.slice("container:".length)
    if (container === "") throw new InvalidArgument("invalid container format container:<name|id>")
    return { mode: { kind: "container", container } }
  }
  if (text.startsWith("ns:"))
    return { mode: parseNamespaceMode(text, "NETWORK") as Extract<NetworkMode, { kind: "path" }> }
  if (/(?:^|,)"?[a-z0-9-]+=/i.test(text) && !/^[^=,]*:/.test(text)) return { requests: [readFields(text)] }
  const colon = text.indexOf(":")
  const [name, options] = colon < 0 ? [text, ""] : [text.slice(0, colon), text.slice(colon + 1)]
  if (name === "pasta") return { mode: { kind: "pasta", options: options.split(",").filter(Boolean) } }
  if (name === "slirp4netns")
    throw new InvalidArgument('the network mode "slirp4netns" is not supported: pasta has taken its place', {
      hint: "leave it out, or --network pasta for a container with the host's addresses",
    })
  if (colon >= 0) return { requests: [readOptions(name, options)] }
  return { requests: name.split(",").map((one) => ({ network: networkName(one) })) }
}

function networkName(text: string): string {
  return DEFAULTS.has(text) ? "bridge" : text
}

/** Docker's: fields of one network. */
function readFields(text: string): NetworkRequest {
  const request: NetworkRequest = { network: "" }
  for (const field of splitCsv(text, "network")) {
    const [key, value] = parseKeyValue(field)
    switch (key.trim().toLowerCase()) {
      case "name":
        request.network = value === "" ? "" : networkName(value)
        break
      case "gw-priority":
        request.gatewayPriority = readGatewayPriority(value)
        break
      case "driver-opt":
        applyDriverOption(request, parseDriverOption(value))
        break
      case "mac-address":
        request.macAddress = parseMacAddress(value)
        break
      case "link-local-ip":
        throw noLinkLocal()
      default:
        applyOption(request, key, value)
    }
  }
  if (request.network === "") throw new InvalidArgument("network name is not specified", { hint: "name=NETWORK" })
  return request
}

/** Podman's: a name, and options after a colon. */
function readOptions(name: string, options: string): NetworkRequest {
  const request: NetworkRequest = { network: networkName(name) }
  for (const option of options.split(",").filter(Boolean)) {
    const [key, value] = parseKeyValue(option)
    if (key === "mac") request.macAddress = parseMacAddress(value)
    else if (key === "interface_name") request.interface = value
    else if (key === "host_interface_name")
      throw new InvalidArgument(
        "the host's end of an interface has a name of the engine's: its rules know it by that",
        {
          hint: "find it by its alias: ip link",
        },
      )
    else applyOption(request, key, value)
  }
  return request
}

/** What both say alike. */
function applyOption(request: NetworkRequest, key: string, value: string): void {
  if (key === "ip") request.address = parseIpv4Address(value)
  else if (key === "ip6") request.address6 = parseIpv6Address(value)
  else if (key === "alias") request.aliases = [...(request.aliases ?? []), value]
  else
    throw new InvalidArgument(`invalid field key ${key}`, { hint: "ip, ip6, alias and the MAC address of a network" })
}

/** A whole number, as docker has it. Throws InvalidArgument. */
export function readGatewayPriority(text: string): number {
  const value = Number(text)
  if (!/^[+-]?\d+$/.test(text) || !Number.isSafeInteger(value))
    throw new InvalidArgument(`invalid gw-priority: "${text}" is not a whole number`)
  return value
}

/** The guard of a bridge lets a container send with its own address alone. */
export function readLinkLocal(_text: string): never {
  throw noLinkLocal()
}
