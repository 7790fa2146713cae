import { createHash, randomUUID } from "node:crypto"
import { basename, dirname } from "node:path"
import { InvalidArgument } from "../../base/errors.ts"
import {
  booleanOf,
  isEqual,
  isList,
  isObject,
  itemsOf,
  kindOf,
  numberOf,
  objectOf,
  sortedEntries,
  textOf,
  type HclValue,
} from "./value.ts"

type Args = readonly HclValue[]
type HclFunction = (args: Args) => HclValue

/** More is no list of a person's. */
const MOST_ITEMS = 100_000

const text =
  (make: (text: string, ...more: string[]) => HclValue): HclFunction =>
  ([first, ...more]) =>
    make(textOf(first), ...more.map(textOf))

const number =
  (make: (...numbers: number[]) => HclValue): HclFunction =>
  (args) =>
    make(...args.map(numberOf))

const hash = (algorithm: string): HclFunction => text((one) => createHash(algorithm).update(one).digest("hex"))

const TEXTS: Readonly<Record<string, HclFunction>> = {
  basename: text((path) => basename(path)),
  dirname: text((path) => dirname(path)),
  base64decode: text((one) => Buffer.from(one, "base64").toString()),
  base64encode: text((one) => Buffer.from(one).toString("base64")),
  chomp: text((one) => one.replace(/[\r\n]+$/, "")),
  format: ([form, ...values]) => formatted(textOf(form), values),
  indent: ([spaces, one]) => textOf(one).replaceAll("\n", `\n${" ".repeat(Math.min(numberOf(spaces), 1000))}`),
  join: ([separator, ...lists]) => lists.flatMap((list) => itemsOf(list).map(textOf)).join(textOf(separator)),
  lower: text((one) => one.toLowerCase()),
  md5: hash("md5"),
  replace: text((one, from = "", to = "") =>
    /^\/.+\/$/.test(from) ? one.replaceAll(expression(from.slice(1, -1)), to) : one.replaceAll(from, () => to),
  ),
  regex_replace: text((one, pattern = "", to = "") => one.replaceAll(expression(pattern), goReplacement(to))),
  regex: text((pattern, one = "") => firstMatch(pattern, one)),
  regexall: text((pattern, one = "") => [...one.matchAll(expression(pattern))].map(captured)),
  sanitize: text((one) => one.replaceAll(/[^a-zA-Z0-9_-]/g, "_")),
  sha1: hash("sha1"),
  sha256: hash("sha256"),
  sha512: hash("sha512"),
  split: text((separator, one = "") => one.split(separator)),
  startswith: text((one, start = "") => one.startsWith(start)),
  endswith: text((one, end = "") => one.endsWith(end)),
  strlen: text((one) => [...one].length),
  substr: ([one, from, length]) => part(textOf(one), numberOf(from), numberOf(length)),
  strrev: text((one) => [...one].toReversed().join("")),
  reverse: text((one) => [...one].toReversed().join("")),
  title: text((one) => one.replaceAll(/(?<=^|\s)\p{Ll}/gu, (letter) => letter.toUpperCase())),
  trim: text((one, letters = "") => trimmed(one, letters, "both")),
  trimprefix: text((one, prefix = "") => (one.startsWith(prefix) ? one.slice(prefix.length) : one)),
  trimspace: text((one) => one.trim()),
  trimsuffix: text((one, suffix = "") => (suffix !== "" && one.endsWith(suffix) ? one.slice(0, -suffix.length) : one)),
  upper: text((one) => one.toUpperCase()),
  urlencode: text((one) => encodeURIComponent(one)),
}

const NUMBERS: Readonly<Record<string, HclFunction>> = {
  absolute: number((one = 0) => Math.abs(one)),
  add: number((a = 0, b = 0) => a + b),
  ceil: number((one = 0) => Math.ceil(one)),
  divide: number((a = 0, b = 0) => {
    if (b === 0) throw new InvalidArgument("division by zero")
    return a / b
  }),
  floor: number((one = 0) => Math.floor(one)),
  greaterthan: number((a = 0, b = 0) => a > b),
  greaterthanorequalto: number((a = 0, b = 0) => a >= b),
  int: number((one = 0) => Math.trunc(one)),
  lessthan: number((a = 0, b = 0) => a < b),
  lessthanorequalto: number((a = 0, b = 0) => a <= b),
  max: number((...all) => Math.max(...all)),
  min: number((...all) => Math.min(...all)),
  modulo: number((a = 0, b = 1) => a % b),
  multiply: number((a = 0, b = 0) => a * b),
  negate: number((one = 0) => -one),
  parseint: ([one, base]) => {
    const value = Number.parseInt(textOf(one), numberOf(base))
    if (Number.isNaN(value)) throw new InvalidArgument(`cannot read "${textOf(one)}" as a number`)
    return value
  },
  pow: number((a = 0, b = 0) => a ** b),
  subtract: number((a = 0, b = 0) => a - b),
}

const LISTS: Readonly<Record<string, HclFunction>> = {
  chunklist: ([list, size]) => {
    const width = Math.max(1, numberOf(size))
    const items = itemsOf(list)
    return Array.from({ length: Math.ceil(items.length / width) }, (_, at) => items.slice(at * width, (at + 1) * width))
  },
  coalesce: (args) => args.find((one) => one !== null) ?? null,
  coalescelist: (args) => args.find((one) => isList(one) && one.length > 0) ?? [],
  compact: ([list]) => itemsOf(list).filter((one) => one !== null && one !== ""),
  concat: (args) => args.flatMap((list) => itemsOf(list)),
  contains: ([list, value]) => itemsOf(list).some((one) => isEqual(one, value)),
  distinct: ([list]) => distinct(itemsOf(list)),
  element: ([list, at]) => {
    const items = itemsOf(list)
    return items[numberOf(at) % items.length] ?? null
  },
  flatten: ([list]) => flat(itemsOf(list)),
  index: ([list, key]) => (isObject(list) ? (list[textOf(key)] ?? null) : (itemsOf(list)[numberOf(key)] ?? null)),
  indexof: ([list, value]) => {
    const at = itemsOf(list).findIndex((one) => isEqual(one, value))
    if (at < 0) throw new InvalidArgument("item not found")
    return at
  },
  keys: ([object]) => entriesOf(object).map(([key]) => key),
  length: ([value]) => (isObject(value) ? Object.keys(value).length : itemsOf(value).length),
  lookup: ([object, key, initial]) => {
    const name = textOf(key)
    return (isObject(object) && Object.hasOwn(object, name) ? object[name] : undefined) ?? initial ?? null
  },
  merge: (args) => objectOf(args.filter((one) => one !== null).flatMap((one) => Object.entries(objectFrom(one)))),
  range: number((...args) => range(args)),
  reverselist: ([list]) => [...itemsOf(list)].toReversed(),
  setproduct: (args) => product(args.map(itemsOf)),
  setunion: (args) => distinct(args.flatMap((list) => itemsOf(list))),
  setintersection: ([first, ...others]) =>
    distinct(itemsOf(first)).filter((one) => others.every((list) => itemsOf(list).some((it) => isEqual(it, one)))),
  setsubtract: ([first, second]) =>
    distinct(itemsOf(first)).filter((one) => !itemsOf(second).some((it) => isEqual(it, one))),
  slice: ([list, from, to]) => itemsOf(list).slice(numberOf(from), to === undefined ? undefined : numberOf(to)),
  sort: ([list]) => itemsOf(list).map(textOf).toSorted(),
  values: ([object]) => entriesOf(object).map(([, value]) => value),
  zipmap: ([keys, values]) => objectOf(itemsOf(keys).map((key, at) => [textOf(key), itemsOf(values)[at] ?? null])),
}

const OTHERS: Readonly<Record<string, HclFunction>> = {
  and: ([a, b]) => booleanOf(a) && booleanOf(b),
  csvdecode: text((one) => csvRows(one)),
  equal: ([a, b]) => isEqual(a, b),
  jsondecode: text((one) => {
    try {
      return JSON.parse(one) as HclValue
    } catch (cause) {
      throw new InvalidArgument("the text is not JSON", { cause })
    }
  }),
  jsonencode: ([value]) => JSON.stringify(value),
  not: ([one]) => !booleanOf(one),
  notequal: ([a, b]) => !isEqual(a, b),
  or: ([a, b]) => booleanOf(a) || booleanOf(b),
  timestamp: () => new Date().toISOString().replace(/\.\d+/, ""),
  tobool: ([one]) => booleanOf(one),
  tolist: ([one]) => itemsOf(one),
  tonumber: ([one]) => numberOf(one),
  toset: ([one]) => distinct(itemsOf(one)),
  tostring: ([one]) => textOf(one),
  uuidv4: () => randomUUID(),
}

const FUNCTIONS = new Map<string, HclFunction>(Object.entries({ ...TEXTS, ...NUMBERS, ...LISTS, ...OTHERS }))

/** Calls one of the functions that every bake file has (buildx's standard library). Throws InvalidArgument. */
export function callStandard(name: string, args: Args): HclValue {
  const found = FUNCTIONS.get(name)
  if (!found) throw new InvalidArgument(`there is no function named "${name}"`)
  return found(args)
}

function entriesOf(value: HclValue | undefined): [string, HclValue][] {
  return sortedEntries(objectFrom(value))
}

function objectFrom(value: HclValue | undefined): Readonly<Record<string, HclValue>> {
  if (isObject(value)) return value
  throw new InvalidArgument(`an object is required, not ${kindOf(value)}`)
}

/** Patterns are the file's author's, who runs its builds: a slow one costs nobody else. */
function expression(pattern: string): RegExp {
  try {
    return new RegExp(pattern.replaceAll("(?P<", "(?<"), "g")
  } catch (cause) {
    throw new InvalidArgument(`invalid pattern "${pattern}"`, { cause })
  }
}

/** `$1`, `${1}`, `${name}` of Go's regexp. */
function goReplacement(to: string): string {
  return to.replaceAll(/\$\{(\d+)\}/g, "$$$1").replaceAll(/\$\{(\w+)\}/g, "$$<$1>")
}

function firstMatch(pattern: string, one: string): HclValue {
  const found = expression(pattern).exec(one)
  if (!found) throw new InvalidArgument("pattern did not match any part of the given string")
  return captured(found)
}

function captured(found: RegExpExecArray): HclValue {
  if (found.groups) return objectOf(Object.entries(found.groups))
  return found.length > 1 ? found.slice(1).map((one) => one ?? null) : found[0]
}

function formatted(form: string, values: Args): string {
  let at = 0
  return form.replaceAll(/%(?:%|(0?)(\d{0,3})([sdvqtf]))/g, (whole, zero: string, width: string, verb: string) => {
    if (whole === "%%") return "%"
    const value = values[at++]
    const shown =
      verb === "q" ? JSON.stringify(textOf(value)) : verb === "f" ? numberOf(value).toFixed(6) : wordOf(value)
    return shown.padStart(Number(width), zero === "0" ? "0" : " ")
  })
}

function wordOf(value: HclValue | undefined): string {
  return isList(value) || isObject(value) ? JSON.stringify(value) : textOf(value)
}

function part(one: string, from: number, length: number): string {
  const letters = [...one]
  const start = from < 0 ? letters.length + from : from
  return letters.slice(start, length < 0 ? undefined : start + length).join("")
}

function trimmed(one: string, letters: string, side: "both"): string {
  const all = [...one]
  const isKept = (letter: string) => !letters.includes(letter)
  const first = all.findIndex(isKept)
  return side === "both" && first >= 0 ? all.slice(first, all.findLastIndex(isKept) + 1).join("") : ""
}

function distinct(items: readonly HclValue[]): HclValue[] {
  const seen = new Set<string>()
  return items.filter((one) => {
    const key = JSON.stringify(one)
    return !seen.has(key) && seen.add(key)
  })
}

function flat(items: readonly HclValue[]): HclValue[] {
  return items.flatMap((one) => (isList(one) ? flat(one) : [one]))
}

function range(args: readonly number[]): HclValue {
  const [from = 0, to = 0] = args.length === 1 ? [0, args[0]] : args
  const step = args[2] ?? (to < from ? -1 : 1)
  const length = Math.max(0, Math.ceil((to - from) / step))
  checkLength(length)
  return Array.from({ length }, (_, at) => from + at * step)
}

function product(lists: readonly (readonly HclValue[])[]): HclValue {
  checkLength(lists.reduce((all, { length }) => all * length, 1))
  return lists.reduce<HclValue[][]>((rows, list) => rows.flatMap((row) => list.map((one) => [...row, one])), [[]])
}

function checkLength(length: number): void {
  if (!(length <= MOST_ITEMS)) throw new InvalidArgument(`a list of more than ${MOST_ITEMS} items`)
}

function csvRows(one: string): HclValue {
  const [head = "", ...rows] = one.split(/\r?\n/).filter((line) => line !== "")
  const names = head.split(",")
  return rows.map((row) => {
    const cells = row.split(",")
    return objectOf(names.map((name, at) => [name, cells[at] ?? ""]))
  })
}
