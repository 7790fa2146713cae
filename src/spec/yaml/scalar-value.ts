import type { YamlScalar } from "./read-yaml.ts"

/** What a scalar can be. */
export type Scalar = null | boolean | number | bigint | string | Date

const NULLS = new Set(["", "~", "null", "Null", "NULL"])
const BOOLEANS = new Map([
  ["true", true],
  ["True", true],
  ["TRUE", true],
  ["false", false],
  ["False", false],
  ["FALSE", false],
])
const FLOATS = new Map([
  [".inf", Infinity],
  [".Inf", Infinity],
  [".INF", Infinity],
  ["+.inf", Infinity],
  ["+.Inf", Infinity],
  ["+.INF", Infinity],
  ["-.inf", -Infinity],
  ["-.Inf", -Infinity],
  ["-.INF", -Infinity],
  [".nan", Number.NaN],
  [".NaN", Number.NaN],
  [".NAN", Number.NaN],
])
// as Go's ParseInt with base 0: a leading zero means octal
const INTEGER = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))$/
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/
const DATE =
  /^(\d{4})-(\d{1,2})-(\d{1,2})(?:(?:[Tt]|[ \t]+)(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d*))?[ \t]*(Z|[-+]\d\d:\d\d)?)?$/
const [MIN_INT, MAX_UINT] = [-(2n ** 63n), 2n ** 64n - 1n]

/** What a scalar says: a tag decides, else its form, as go-yaml has it. Undefined: it is not of the type that its tag names. */
export function scalarValue({ text, isPlain, tag }: YamlScalar): Scalar | undefined {
  switch (tag && shortTag(tag)) {
    case undefined:
      return isPlain ? plainValue(text) : text
    case "!!null":
      return plainValue(text) === null ? null : undefined
    case "!!bool":
      return BOOLEANS.get(text)
    case "!!int":
      return integer(text)
    case "!!float": {
      const value = integer(text) ?? float(text)
      return value === undefined ? undefined : Number(value)
    }
    case "!!timestamp":
      return date(text)
    case "!!binary":
      return Buffer.from(text, "base64").toString()
    default:
      // `!override 5` is the text
      return text
  }
}

/** `!!int` of `!<tag:yaml.org,2002:int>`. */
export function shortTag(tag: string): string {
  return tag.replace(/^!<(.*)>$/, "$1").replace(/^tag:yaml\.org,2002:/, "!!")
}

function plainValue(text: string): Scalar {
  const first = text.charCodeAt(0)
  // most are words: told by their first letter
  const isNumeric = (first >= 48 && first <= 57) || first === 43 || first === 45 || first === 46
  if (!isNumeric) {
    if (NULLS.has(text)) return null
    return BOOLEANS.get(text) ?? text
  }
  return date(text) ?? integer(text) ?? float(text) ?? text
}

function integer(text: string): number | bigint | undefined {
  const found = INTEGER.exec(text.replaceAll("_", ""))
  if (!found) return undefined
  const [, sign, hex, binary, octal, decimal] = found
  const digits = hex ? `0x${hex}` : binary ? `0b${binary}` : octal ? `0o${octal}` : (decimal ?? "0")
  const value = sign === "-" ? -BigInt(digits) : BigInt(digits)
  if (value < MIN_INT || value > MAX_UINT) return undefined
  const number = Number(value)
  return Number.isSafeInteger(number) ? number + 0 : value
}

function float(text: string): number | undefined {
  const plain = text.replaceAll("_", "")
  if (!FLOAT.test(plain)) return FLOATS.get(text)
  const value = Number(plain)
  // Go's ParseFloat refuses what is too large
  return Number.isFinite(value) ? value : undefined
}

function date(text: string): Date | undefined {
  const found = text.charCodeAt(4) === 45 ? DATE.exec(text) : null
  if (!found) return undefined
  const [, year = "", month = "", day = "", hour = "0", minute = "0", second = "0", fraction = "", zone = "Z"] = found
  const [two, milli] = [(part: string) => part.padStart(2, "0"), fraction.slice(0, 3).padEnd(3, "0")]
  const iso = `${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}.${milli}`
  const value = new Date(`${iso}${zone}`)
  // 30 February is a text
  const isReal = new Date(`${iso}Z`).getUTCDate() === Number(day)
  return Number.isNaN(value.getTime()) || !isReal ? undefined : value
}
