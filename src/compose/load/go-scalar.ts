import { InvalidArgument } from "../../base/errors.ts"
import type { Tree } from "./tree.ts"

/** As Go prints a value in a text: `1.5`, `true`, `1e+21`, `<nil>`. */
export function showScalar(value: Tree): string {
  if (value === null) return "<nil>"
  if (typeof value === "number") return showNumber(value)
  if (value instanceof Date) return `${value.toISOString().slice(0, 19).replace("T", " ")} +0000 UTC`
  return String(value)
}

/** As Go's `%g` with the least digits: an exponent of two digits from 1e-05 downwards and from 1e+21, whole numbers without. */
export function showNumber(value: number): string {
  if (Number.isInteger(value)) return Math.abs(value) < 1e21 ? BigInt(value).toString() : withExponent(value)
  const exponent = exponentOf(value)
  return exponent < -4 || exponent >= 6 ? withExponent(value) : decimal(value)
}

/** A number in decimal notation, whatever its size. */
function decimal(value: number): string {
  const text = String(value)
  return text.includes("e") ? value.toFixed(20).replace(/0+$/, "") : text
}

function exponentOf(value: number): number {
  return Number(value.toExponential().split("e")[1])
}

function withExponent(value: number): string {
  const [digits = "", exponent = ""] = value.toExponential().split("e")
  const power = Math.abs(Number(exponent)).toString().padStart(2, "0")
  return `${digits}e${exponent.startsWith("-") ? "-" : "+"}${power}`
}

/** The number nearest to `value` that a float of 32 bits tells apart, in the least digits. */
export function shortFloat(value: number): number {
  const float = Math.fround(value)
  for (let digits = 1; digits <= 9; digits++) {
    const short = Number(float.toPrecision(digits))
    if (Math.fround(short) === float) return short
  }
  return float
}

/** `true` and `false`; YAML 1.1's words, too, of which `old` is told. Throws InvalidArgument. */
export function parseBoolean(value: string, old: (instead: boolean) => void): boolean {
  switch (value.toLowerCase()) {
    case "true":
      return true
    case "false":
      return false
    case "y":
    case "yes":
    case "on":
      old(true)
      return true
    case "n":
    case "no":
    case "off":
      old(false)
      return false
    default:
      throw new InvalidArgument(`invalid boolean: ${value}`)
  }
}

/** A decimal number with its sign. Throws InvalidArgument in the words of Go's `strconv`. */
export function parseInteger(value: string): number {
  if (/^[+-]?\d+$/.test(value)) return Number(value)
  throw new InvalidArgument(`strconv.Atoi: parsing ${JSON.stringify(value)}: invalid syntax`)
}

export function parseFloatText(value: string): number {
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value)) return Number(value)
  throw new InvalidArgument(`strconv.ParseFloat: parsing ${JSON.stringify(value)}: invalid syntax`)
}
