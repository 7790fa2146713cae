import { InvalidArgument } from "../../base/errors.ts"

const MICRO = 1_000n
const MILLI = 1_000_000n
const SECOND = 1_000_000_000n
const MINUTE = 60n * SECOND
const HOUR = 60n * MINUTE
const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: MICRO,
  µs: MICRO,
  μs: MICRO,
  ms: MILLI,
  s: SECOND,
  m: MINUTE,
  h: HOUR,
  d: 24n * HOUR,
  w: 168n * HOUR,
}

/** A duration in nanoseconds: numbers with units from `ns` to `w`, `1h30m`. Throws InvalidArgument in Go's words. */
export function parseDuration(text: string): bigint {
  const quoted = JSON.stringify(text)
  const [, sign = "", rest = ""] = /^([+-]?)(.*)$/s.exec(text) ?? []
  if (rest === "0") return 0n
  if (rest === "" || !/^(\d|\.\d)/.test(rest)) throw new InvalidArgument(`time: invalid duration ${quoted}`)
  let total = 0n
  for (const [, number = "", unit = ""] of rest.matchAll(/(\d+\.?\d*|\.\d+)([^\d.]*)/g)) {
    const scale = UNITS[unit]
    if (unit === "") throw new InvalidArgument(`time: missing unit in duration ${quoted}`)
    if (scale === undefined)
      throw new InvalidArgument(`time: unknown unit ${JSON.stringify(unit)} in duration ${quoted}`)
    const [whole = "", part = ""] = number.split(".")
    total += BigInt(whole || "0") * scale + (BigInt(part || "0") * scale) / 10n ** BigInt(part.length)
  }
  return sign === "-" ? -total : total
}

/** As Go's `Duration.String`: `1h30m0s`, `1.5s`, `100µs`, `0s`. */
export function showDuration(nanoseconds: bigint): string {
  if (nanoseconds < 0n) return `-${showDuration(-nanoseconds)}`
  if (nanoseconds === 0n) return "0s"
  if (nanoseconds < MICRO) return `${nanoseconds}ns`
  if (nanoseconds < MILLI) return `${fraction(nanoseconds, MICRO)}µs`
  if (nanoseconds < SECOND) return `${fraction(nanoseconds, MILLI)}ms`
  const seconds = `${fraction(nanoseconds % MINUTE, SECOND)}s`
  if (nanoseconds < MINUTE) return seconds
  const minutes = `${(nanoseconds % HOUR) / MINUTE}m${seconds}`
  return nanoseconds < HOUR ? minutes : `${nanoseconds / HOUR}h${minutes}`
}

function fraction(value: bigint, unit: bigint): string {
  const part = (value % unit)
    .toString()
    .padStart(unit.toString().length - 1, "0")
    .replace(/0+$/, "")
  return part === "" ? String(value / unit) : `${value / unit}.${part}`
}
