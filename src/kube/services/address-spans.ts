/** Ranges of addresses as people write them in Services and settings: `192.0.2.0/24`, `fd00::/8`. Pure. */
import { InvalidArgument } from "../../base/errors.ts"
import type { SourceRange } from "../../network/network.ts"
import { isIpv4, isIpv6 } from "../../spec/docker/ip-address.ts"
import { addressOf, numberOf } from "./address-range.ts"

/** More of one Service are not looked through: each is an element of the kernel's for each of its ports. */
const MOST_RANGES = 64

interface AddressSpan {
  isIpv6: boolean
  first: bigint
  last: bigint
}

/**
 * loadBalancerSourceRanges, so that no two overlap: a set of the kernel's takes no others. Undefined: nothing is said, everyone may ask. Throws
 * InvalidArgument for what is no range and for too many: who would bound his Service must not have an open one for it.
 */
export function sourceRanges(given: readonly string[] | undefined): SourceRange[] | undefined {
  const texts = given ?? []
  if (texts.length === 0) return undefined
  if (texts.length > MOST_RANGES) throw invalid(`${texts.length} ranges are named, and ${MOST_RANGES} are the most`)
  const spans = texts.map((text) => {
    const span = spanOf(text)
    if (span === undefined) throw invalid(`"${text.slice(0, 100)}" is no range of addresses`)
    return span
  })
  return [false, true].flatMap((family) => merged(spans.filter((span) => span.isIpv6 === family)).map(rangeOf))
}

function invalid(why: string): InvalidArgument {
  const field = "spec.loadBalancerSourceRanges"
  return new InvalidArgument(`${field}: ${why}`, { field, hint: "192.0.2.0/24" })
}

/** Whether an address is in one of the ranges of a text; ranges stand apart by commas or blanks, and what is none counts for nothing. */
export function isIn(text: string, address: string): boolean {
  const is6 = isIpv6(address)
  if (!is6 && !isIpv4(address)) return false
  const number = numberOf(address)
  return text.split(/[\s,]+/).some((one) => {
    const span = spanOf(one)
    return span !== undefined && span.isIpv6 === is6 && number >= span.first && number <= span.last
  })
}

/** Host bits may be set, as Kubernetes lets them be. */
function spanOf(text: string): AddressSpan | undefined {
  const [, address = "", length = ""] = /^\s*([0-9a-f.:]+)\/(\d{1,3})\s*$/i.exec(text) ?? []
  const is6 = isIpv6(address)
  const bits = is6 ? 128 : 32
  if ((!is6 && !isIpv4(address)) || Number(length) > bits) return undefined
  const size = 1n << BigInt(bits - Number(length))
  const first = (numberOf(address) / size) * size
  return { isIpv6: is6, first, last: first + size - 1n }
}

function merged(spans: readonly AddressSpan[]): AddressSpan[] {
  const found: AddressSpan[] = []
  for (const span of spans.toSorted((one, other) => (one.first < other.first ? -1 : one.first > other.first ? 1 : 0))) {
    const before = found.at(-1)
    if (before === undefined || span.first > before.last + 1n) found.push({ ...span })
    else if (span.last > before.last) before.last = span.last
  }
  return found
}

const rangeOf = ({ first, last, isIpv6: is6 }: AddressSpan): SourceRange => ({
  first: addressOf(first, is6),
  last: addressOf(last, is6),
})
