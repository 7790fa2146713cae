import { InvalidArgument } from "../../base/errors.ts"

const UNITS: Readonly<Record<string, number>> = { bit: 1, kbit: 1e3, mbit: 1e6, gbit: 1e9 }
/** Less would hold one packet for seconds. */
const MIN_BITS = 8_000
const MAX_BITS = 400e9

/** Parses a rate as tc(8) writes it, in bits a second: `10mbit`. Throws InvalidArgument. */
export function parseBitRate(text: string): number {
  const [, number = "", unit = ""] = /^(\d+(?:\.\d+)?)([kmg]?bit)$/i.exec(text) ?? []
  const bits = Math.round(Number(number) * (UNITS[unit.toLowerCase()] ?? Number.NaN))
  if (!(bits >= MIN_BITS && bits <= MAX_BITS))
    throw new InvalidArgument(`invalid rate "${text}"`, {
      hint: "such as 10mbit (bit, kbit, mbit, gbit), 8kbit at least",
    })
  return bits
}
