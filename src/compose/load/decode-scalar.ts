import { InvalidArgument } from "../../base/errors.ts"
import { parseByteSize } from "./byte-sizes.ts"
import { parseDuration, showDuration } from "./durations.ts"
import type { Key } from "./keys.ts"
import { parseBoolean, parseFloatText, parseInteger, shortFloat, showScalar } from "./go-scalar.ts"
import type { Tree } from "./tree.ts"
import { goType } from "./unique.ts"

/** A text, number or boolean in its one form. Undefined: nothing, or what is the same as nothing. Throws InvalidArgument. */
export function decodeScalar(value: Tree, key: Key): string | number | boolean | undefined {
  if (value === null) return undefined
  const decoded = decode(value, key)
  return key.keepsZero !== true && isZero(decoded, key) ? undefined : decoded
}

function isZero(value: string | number | boolean, { type }: Key): boolean {
  return value === "" || value === 0 || value === false || (type === "duration" && value === "0s")
}

function decode(value: Exclude<Tree, null>, { type }: Key): string | number | boolean {
  switch (type) {
    case "boolean":
      return typeof value === "string" ? parseBoolean(value, () => {}) : expect(value, "boolean", "bool")
    case "integer":
      return typeof value === "string" ? parseInteger(value) : Math.trunc(expect(value, "number", "int"))
    case "whole":
      return Math.trunc(expect(value, "number", "uint32"))
    case "float":
      return shortFloat(typeof value === "string" ? parseFloatText(value) : expect(value, "number", "float32"))
    case "amount":
      return String(decode(value, { type: "float" }) || "")
    case "bytes":
      return bytesText(value)
    case "duration":
      return showDuration(parseDuration(expect(value, "string", "string")))
    case "mode":
      return modeText(value)
    case "count":
      return count(value)
    default:
      return decodeText(value)
  }
}

/** A whole number is a text where one is wanted; nothing else is. */
export function decodeText(value: Tree): string {
  if (typeof value === "bigint" || (typeof value === "number" && Number.isInteger(value))) return showScalar(value)
  return value === null ? "" : expect(value, "string", "string")
}

interface ScalarTypes {
  string: string
  number: number
  boolean: boolean
}

function expect<T extends keyof ScalarTypes>(value: Exclude<Tree, null>, type: T, wanted: string): ScalarTypes[T] {
  // safe: typeof says so
  if (typeof value === type) return value as ScalarTypes[T]
  throw new InvalidArgument(`expected type '${wanted}', got unconvertible type '${goType(value)}'`)
}

/** A fraction of a byte is none: docker takes a number with a point for nothing at all. */
function bytesText(value: Exclude<Tree, null>): string {
  if (typeof value === "number") return Number.isInteger(value) && value !== 0 ? showScalar(value) : ""
  const bytes = parseByteSize(expect(value, "string", "string"))
  return bytes === 0n ? "" : String(bytes)
}

function modeText(value: Exclude<Tree, null>): string {
  if (typeof value === "number") return `0${Math.trunc(value).toString(8)}`
  const text = expect(value, "string", "string")
  if (!/^[+-]?[0-7]+$/.test(text))
    throw new InvalidArgument(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  return `0${Number.parseInt(text, 8).toString(8)}`
}

function count(value: Exclude<Tree, null>): number {
  if (typeof value === "number") return value
  const text = expect(value, "string", "string")
  if (text.toLowerCase() === "all") return -1
  if (/^[+-]?\d+$/.test(text)) return Number(text)
  throw new InvalidArgument(`invalid value ${JSON.stringify(text)}, the only value allowed is 'all' or a number`)
}
