import { InvalidArgument } from "../../base/errors.ts"
import { show, sprintf } from "./printf.ts"

/** By the names that templates call them by. */
export type TemplateFunctions = Readonly<Record<string, (...args: unknown[]) => unknown>>

/** Functions of Go's text/template and those that docker adds. An argument that does not fit throws InvalidArgument. */
export const FUNCTIONS: TemplateFunctions = {
  json: (value) => JSON.stringify(value, plain) ?? "null",
  index: (value, ...keys) => keys.reduce(indexOne, value),
  slice: (value, start = 0, end?) =>
    sequence(value, "slice").slice(Number(start), end === undefined ? undefined : Number(end)),
  len: (value) => length(value),
  join: (value, separator) => [...list(value, "join")].map(show).join(text(separator, "join")),
  split: (value, separator) => text(value, "split").split(text(separator, "split")),
  lower: (value) => text(value, "lower").toLowerCase(),
  upper: (value) => text(value, "upper").toUpperCase(),
  title: (value) => text(value, "title").replace(/(^|\s)\p{L}/gu, (start) => start.toUpperCase()),
  pad: (value, before, after) => " ".repeat(count(before)) + text(value, "pad") + " ".repeat(count(after)),
  truncate: (value, size) => text(value, "truncate").slice(0, count(size)),
  println: (...values) => `${values.map(show).join(" ")}\n`,
  print: (...values) =>
    // fmt.Sprint: a space only between two that are no strings
    values.reduce<string>((line, value, at) => {
      const apart = at > 0 && typeof value !== "string" && typeof values[at - 1] !== "string"
      return line + (apart ? " " : "") + show(value)
    }, ""),
  printf: (format, ...values) => sprintf(text(format, "printf"), values),
  eq: (first, ...others) => others.some((other) => same(first, other)),
  ne: (left, right) => !same(left, right),
  lt: (left, right) => compare(left, right) < 0,
  le: (left, right) => compare(left, right) <= 0,
  gt: (left, right) => compare(left, right) > 0,
  ge: (left, right) => compare(left, right) >= 0,
  not: (value) => !truth(value),
  js: (value) =>
    JSON.stringify(show(value))
      .slice(1, -1)
      .replace(/[<>&='"]/g, (letter) => `\\u00${letter.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`),
  html: (value) => show(value).replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`),
  urlquery: (value) => encodeURIComponent(show(value)),
}

/** Go's truth: false, 0, "", nil and what is empty are false. */
export function truth(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === 0 || value === "") return false
  if (Array.isArray(value)) return value.length > 0
  return value instanceof Map ? value.size > 0 : true
}

/** Maps as JSON writes objects, at every depth. */
function plain(_: string, value: unknown): unknown {
  return value instanceof Map ? Object.fromEntries(value) : value
}

function indexOne(value: unknown, key: unknown): unknown {
  if (value instanceof Map) return value.get(show(key)) ?? ""
  if (Array.isArray(value) || typeof value === "string") {
    const found = typeof key === "number" ? value[key] : undefined
    if (found === undefined) throw new InvalidArgument(`error calling index: index out of range: ${show(key)}`)
    return found
  }
  if (typeof value === "object" && value !== null)
    return Object.hasOwn(value, show(key)) ? (value as Record<string, unknown>)[show(key)] : ""
  throw new InvalidArgument(`error calling index: can't index ${show(value)}`)
}

function length(value: unknown): number {
  if (typeof value === "string") return Buffer.byteLength(value)
  if (Array.isArray(value)) return value.length
  if (value instanceof Map) return value.size
  if (value === null || value === undefined) return 0
  if (typeof value === "object") return Object.keys(value).length
  throw new InvalidArgument(`error calling len: len of ${show(value)}`)
}

function list(value: unknown, name: string): readonly unknown[] {
  if (value === null || value === undefined) return []
  if (!Array.isArray(value)) throw new InvalidArgument(`error calling ${name}: expected a list, not ${show(value)}`)
  return value
}

function sequence(value: unknown, name: string): string | readonly unknown[] {
  return typeof value === "string" ? value : list(value, name)
}

function text(value: unknown, name: string): string {
  if (typeof value !== "string")
    throw new InvalidArgument(`error calling ${name}: expected a string, not ${show(value)}`)
  return value
}

const MAX_PAD = 10_000

function count(value: unknown): number {
  if (typeof value !== "number" || value < 0 || value > MAX_PAD)
    throw new InvalidArgument(`expected a number of characters, not ${show(value)}`)
  return value
}

function same(left: unknown, right: unknown): boolean {
  return (left ?? undefined) === (right ?? undefined)
}

function compare(left: unknown, right: unknown): number {
  if (typeof left === "number" && typeof right === "number") return left - right
  if (typeof left === "string" && typeof right === "string") return left < right ? -1 : left > right ? 1 : 0
  throw new InvalidArgument("incompatible types for comparison")
}
