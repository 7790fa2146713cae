/** What stands behind an address that a program of ours is about to connect to. Pure. */
import { isIpv4, isIpv6 } from "../../spec/docker/ip-address.ts"

/**
 * - `metadata`: link-local, or one of the addresses where a cloud tells a machine its secrets. Nobody keeps images there.
 * - `loopback`: the host itself.
 * - `private`: of a network that is not the internet's.
 */
export type AddressKind = "public" | "private" | "loopback" | "metadata"

type Range = readonly [prefix: string, bits: number]

/** RFC 3927 and RFC 4291 link-local hold most (AWS, Google, Azure, Oracle, DigitalOcean, OpenStack …); these lie elsewhere. */
const METADATA: readonly Range[] = [
  ["169.254.0.0", 16],
  ["100.100.100.200", 32], // Alibaba Cloud
  ["168.63.129.16", 32], // Azure, the host's agent
  ["192.0.0.192", 32], // Oracle Cloud, classic
  ["fe80::", 10],
  ["fd00:ec2::", 32], // AWS: metadata, time, names, identities of pods
  ["fd20:ce::254", 128], // Google Cloud
  ["fd00:42::42", 128], // Scaleway
  ["fd00:c1::a9fe:a9fe", 128], // Oracle Cloud
]

/** `0.0.0.0` and `::` connect to the host itself. */
const LOOPBACK: readonly Range[] = [
  ["127.0.0.0", 8],
  ["0.0.0.0", 8],
  ["::1", 128],
  ["::", 128],
]

/** RFC 1918, 6598, 2544, 4193; 192.0.0.0/24 is for protocols, multicast and what lies above it for nobody's server. */
const PRIVATE: readonly Range[] = [
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["100.64.0.0", 10],
  ["198.18.0.0", 15],
  ["192.0.0.0", 24],
  ["224.0.0.0", 3],
  ["fc00::", 7],
  ["fec0::", 10],
  ["ff00::", 8],
]

/**
 * IPv6 addresses that a host, or a router on the way, turns into the IPv4 address that they hold, and where it begins:
 * IPv4-mapped and -compatible, NAT64 (RFC 6052, RFC 8215), 6to4.
 */
const EMBEDDING: readonly (readonly [...Range, byte: number])[] = [
  ["::ffff:0:0", 96, 12],
  ["::ffff:0:0:0", 96, 12],
  ["64:ff9b::", 96, 12],
  ["64:ff9b:1::", 48, 12],
  ["2002::", 16, 2],
  ["::", 96, 12],
]

/** Of an address as text, without brackets and zone. Throws RangeError for anything else. */
export function addressKind(address: string): AddressKind {
  const bytes = addressBytes(address)
  for (const [kind, ranges] of [
    ["metadata", METADATA],
    ["loopback", LOOPBACK],
    ["private", PRIVATE],
  ] as const)
    if (ranges.some((range) => isIn(bytes, range))) return kind
  const embedding = EMBEDDING.find(([prefix, bits]) => isIn(bytes, [prefix, bits]))
  if (embedding === undefined) return "public"
  const at = embedding[2]
  return addressKind(bytes.slice(at, at + 4).join("."))
}

function isIn(bytes: readonly number[], [prefix, bits]: Range): boolean {
  const base = addressBytes(prefix)
  if (base.length !== bytes.length) return false
  return base.every((byte, index) => {
    const mask = 0xff & (0xff00 >> Math.min(8, Math.max(0, bits - index * 8)))
    return (byte & mask) === ((bytes[index] ?? 0) & mask)
  })
}

/** Four or sixteen. */
function addressBytes(text: string): number[] {
  if (isIpv4(text)) return text.split(".").map(Number)
  if (!isIpv6(text)) throw new RangeError(`"${text}" is no IP address`)
  // the URL parser writes every address the same way: groups in hexadecimal, at most one `::`
  const [head = "", tail] = new URL(`http://[${text}]/`).hostname.slice(1, -1).split("::")
  const [first, last] = [groupsOf(head), groupsOf(tail ?? "")]
  const middle = tail === undefined ? [] : Array.from({ length: 8 - first.length - last.length }, () => 0)
  return [...first, ...middle, ...last].flatMap((group) => [group >> 8, group & 0xff])
}

function groupsOf(part: string): number[] {
  return part === "" ? [] : part.split(":").map((word) => Number.parseInt(word, 16))
}
