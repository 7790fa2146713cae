import { createHash } from "node:crypto"
import { InvalidArgument } from "../../base/errors.ts"
import { VERSION } from "../../base/version.ts"
import { truth, type TemplateFunctions } from "../template/functions.ts"
import { show } from "../template/printf.ts"

/**
 * What templates of Trivy's may call: its own functions, and those of Sprig that its templates and those of its users call. Sprig's have
 * the value last, so that it can be piped in. `env` and `expandenv` of Sprig's are not there, as in Trivy: `getEnv` is.
 */
export const TRIVY_FUNCTIONS: TemplateFunctions = {
  ...ofTrivy(),
  ...ofTexts(),
  ...ofLists(),
  ...ofNumbers(),
}

function ofTrivy(): TemplateFunctions {
  return {
    escapeXML: (value) => show(value).replaceAll(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`),
    escapeString: (value) => show(value).replaceAll(/[&<>"']/g, (letter) => HTML[letter] ?? letter),
    toLower: (value) => show(value).toLowerCase(),
    endWithPeriod: (value) => show(value).replace(/[^.]$/, "$&."),
    toPathUri: (value) => show(value).replaceAll("\\", "/"),
    sourceID: (value) => show(value),
    appVersion: () => VERSION,
    getEnv: (name) => process.env[show(name)] ?? "",
    getCurrentTime: () => new Date().toISOString(),
    now: () => new Date().toISOString(),
  }
}

/** html.EscapeString of Go. */
const HTML: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;" }

function ofTexts(): TemplateFunctions {
  return {
    abbrev: (width, value) => {
      const [most, text] = [Number(width), show(value)]
      return most < 4 || text.length <= most ? text : `${text.slice(0, most - 3)}...`
    },
    trunc: (width, value) => {
      const [most, text] = [Number(width), show(value)]
      return most < 0 ? text.slice(most) : text.slice(0, most)
    },
    trim: (value) => show(value).trim(),
    trimPrefix: (prefix, value) => without(show(value), show(prefix), "start"),
    trimSuffix: (suffix, value) => without(show(value), show(suffix), "end"),
    trimAll: (letters, value) => trimmed(show(value), show(letters)),
    upper: (value) => show(value).toUpperCase(),
    lower: (value) => show(value).toLowerCase(),
    nospace: (value) => show(value).replaceAll(/\s/g, ""),
    quote: (...values) => values.map((value) => JSON.stringify(show(value))).join(" "),
    squote: (...values) => values.map((value) => `'${show(value)}'`).join(" "),
    replace: (from, to, value) => show(value).replaceAll(show(from), () => show(to)),
    contains: (part, value) => show(value).includes(show(part)),
    hasPrefix: (part, value) => show(value).startsWith(show(part)),
    hasSuffix: (part, value) => show(value).endsWith(show(part)),
    repeat: (times, value) => show(value).repeat(Math.min(Math.max(Number(times), 0), MAX_TIMES)),
    indent: (spaces, value) => indented(Number(spaces), show(value)),
    nindent: (spaces, value) => `\n${indented(Number(spaces), show(value))}`,
    cat: (...values) => values.map(show).join(" "),
    toString: (value: unknown) => show(value),
    regexMatch: (pattern, value) => regex(pattern).test(show(value)),
    regexFind: (pattern, value) => regex(pattern).exec(show(value))?.[0] ?? "",
    regexReplaceAll: (pattern, value, to) =>
      show(value).replaceAll(regex(pattern, "g"), show(to).replaceAll(/\$\{(\w+)\}/g, "$$$1")),
    sha1sum: (value) => createHash("sha1").update(show(value)).digest("hex"),
    sha256sum: (value) => createHash("sha256").update(show(value)).digest("hex"),
    b64enc: (value) => Buffer.from(show(value)).toString("base64"),
    b64dec: (value) => Buffer.from(show(value), "base64").toString("utf8"),
    toJson: (value) => JSON.stringify(value, plain) ?? "null",
    toPrettyJson: (value) => JSON.stringify(value, plain, 2) ?? "null",
    date: (layout, value) => formatDate(show(layout), show(value)),
  }
}

function ofLists(): TemplateFunctions {
  return {
    list: (...values) => values,
    join: (separator, values) => listOf(values).map(show).join(show(separator)),
    splitList: (separator, value) => show(value).split(show(separator)),
    first: (values) => listOf(values)[0] ?? "",
    last: (values) => listOf(values).at(-1) ?? "",
    rest: (values) => listOf(values).slice(1),
    initial: (values) => listOf(values).slice(0, -1),
    append: (values, value) => [...listOf(values), value],
    prepend: (values, value) => [value, ...listOf(values)],
    concat: (...values) => values.flatMap(listOf),
    uniq: (values) => [...new Set(listOf(values))],
    has: (value, values) => listOf(values).includes(value),
    without: (values, ...gone) => listOf(values).filter((value) => !gone.includes(value)),
    compact: (values) => listOf(values).filter(truth),
    reverse: (values) => listOf(values).toReversed(),
    sortAlpha: (values) => listOf(values).map(show).toSorted(),
    dict: (...pairs) => new Map(pairs.flatMap((key, at) => (at % 2 === 0 ? [[show(key), pairs[at + 1] ?? ""]] : []))),
    set: (map: unknown, key: unknown, value: unknown): unknown =>
      map instanceof Map ? map.set(show(key), value) : map,
    unset: (map, key) => {
      if (map instanceof Map) map.delete(show(key))
      return map
    },
    get: (map, key) => (map instanceof Map ? (map.get(show(key)) ?? "") : ""),
    hasKey: (map, key) => map instanceof Map && map.has(show(key)),
    keys: (map) => (map instanceof Map ? [...map.keys()] : []),
    values: (map) => (map instanceof Map ? [...map.values()] : []),
  }
}

function ofNumbers(): TemplateFunctions {
  return {
    add: (...values) => sum(values),
    add1: (value) => numberOf(value) + 1,
    sub: (left, right) => numberOf(left) - numberOf(right),
    mul: (...values) => values.reduce<number>((product, value) => product * numberOf(value), 1),
    div: (left, right) => Math.trunc(numberOf(left) / numberOf(right)),
    mod: (left, right) => numberOf(left) % numberOf(right),
    max: (...values) => Math.max(...values.map(numberOf)),
    min: (...values) => Math.min(...values.map(numberOf)),
    int: numberOf,
    int64: numberOf,
    float64: (value) => Number(value) || 0,
    atoi: numberOf,
    default: (initial, value) => (truth(value) ? value : initial),
    empty: (value) => !truth(value),
    coalesce: (...values) => values.find(truth) ?? "",
    ternary: (yes, no, value) => (truth(value) ? yes : no),
    fail: (message) => {
      throw new InvalidArgument(show(message))
    },
  }
}

const MAX_TIMES = 10_000

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : value === undefined || value === null || value === "" ? [] : [value]
}

function numberOf(value: unknown): number {
  return Math.trunc(Number(value)) || 0
}

function sum(values: readonly unknown[]): number {
  return values.reduce<number>((total, value) => total + numberOf(value), 0)
}

function without(text: string, part: string, side: "start" | "end"): string {
  if (part === "") return text
  if (side === "start") return text.startsWith(part) ? text.slice(part.length) : text
  return text.endsWith(part) ? text.slice(0, -part.length) : text
}

function trimmed(text: string, letters: string): string {
  let [start, end] = [0, text.length]
  while (start < end && letters.includes(text[start] ?? "")) start++
  while (end > start && letters.includes(text[end - 1] ?? "")) end--
  return text.slice(start, end)
}

function indented(spaces: number, text: string): string {
  const before = " ".repeat(Math.min(Math.max(spaces, 0), MAX_TIMES))
  return before + text.replaceAll("\n", `\n${before}`)
}

/** The template is the user's own. */
function regex(pattern: unknown, flags = ""): RegExp {
  try {
    return new RegExp(show(pattern), `${flags}u`)
  } catch (cause) {
    throw new InvalidArgument(`"${show(pattern)}" is no regular expression`, { cause })
  }
}

/** Maps as JSON writes objects, at every depth. */
function plain(_: string, value: unknown): unknown {
  return value instanceof Map ? Object.fromEntries(value) : value
}

/** Go's reference time, 2006-01-02T15:04:05Z07:00: each part of it stands for that part of `value`, in UTC. */
function formatDate(layout: string, value: string): string {
  const date = new Date(value)
  if (Number.isNaN(date.getTime())) return value
  const iso = date.toISOString()
  const parts: Readonly<Record<string, string>> = {
    "2006": iso.slice(0, 4),
    "01": iso.slice(5, 7),
    "02": iso.slice(8, 10),
    "15": iso.slice(11, 13),
    "04": iso.slice(14, 16),
    "05": iso.slice(17, 19),
    Jan: date.toLocaleString("en", { month: "short", timeZone: "UTC" }),
    Mon: date.toLocaleString("en", { weekday: "short", timeZone: "UTC" }),
    MST: "UTC",
    "Z07:00": "Z",
    "-0700": "+0000",
  }
  return layout.replaceAll(/2006|01|02|15|04|05|Jan|Mon|MST|Z07:00|-0700/g, (part) => parts[part] ?? part)
}
