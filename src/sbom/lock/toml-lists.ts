import { linesOf } from "../stanza.ts"

/** One table of a list in TOML, with those of its values that are one line's text. */
export interface TomlTable {
  /** `package` of `[[package]]`. */
  list: string
  values: ReadonlyMap<string, string>
  /** Names of its `dependencies`: texts (`"serde 1.0"`), tables with a name (`{ name = "x" }`), or the keys of a table below it. */
  needs: readonly string[]
}

const MAX_VALUES = 200
/** Of one table. */
const MAX_NEEDS = 1000
const MAX_LINE = 16_384

/**
 * The tables of lists (`[[package]]`) in a lock file that a program wrote (toml.io, v1.0): one line a key. What is below them (`[package.x]`)
 * is passed over.
 */
export function* tomlTables(text: string): Generator<TomlTable> {
  let list: string | undefined
  let values = new Map<string, string>()
  let isInside = false
  let [needs, isNeeds]: [string[], "array" | "table" | undefined] = [[], undefined]
  for (const raw of linesOf(text)) {
    const line = raw.trim()
    if (line.startsWith("[[") && line.endsWith("]]")) {
      if (list !== undefined) yield { list, values, needs }
      needs = []
      isNeeds = undefined
      list = line.slice(2, -2).trim().slice(0, 256)
      values = new Map()
      isInside = true
    } else if (/^\[[^[\],=]+\]$/.test(line)) {
      isInside = false
      isNeeds = line === `[${list}.dependencies]` ? "table" : undefined
    } else if (isNeeds === "array" && needs.length < MAX_NEEDS) {
      needs.push(...namesIn(line))
      if (line.startsWith("]")) isNeeds = undefined
    } else if (isNeeds === "table" && needs.length < MAX_NEEDS) {
      const [, key] = /^"?([\w.-]{1,256})"?\s*=/.exec(line) ?? []
      if (key !== undefined) needs.push(key)
    } else if (isInside && values.size < MAX_VALUES) {
      const equals = line.indexOf("=")
      const key = line.slice(0, Math.max(equals, 0)).trim()
      const value = line.slice(equals + 1).trim()
      if (key !== "" && !values.has(key)) values.set(key, textOf(value))
      if (key === "dependencies" && value.startsWith("[")) {
        needs.push(...namesIn(value))
        if (!value.endsWith("]")) isNeeds = "array"
      }
    }
  }
  if (list !== undefined) yield { list, values, needs }
}

/** Of a line of an array: `{ name = "x", … }`, else texts that begin with a name. */
function namesIn(line: string): string[] {
  const text = line.slice(0, MAX_LINE)
  const tables = [...text.matchAll(/\bname = "([^"]{1,256})"/g)].map(([, name = ""]) => name)
  if (tables.length > 0 || text.includes("{")) return tables
  return [...text.matchAll(/"([^" ]{1,256})(?: [^"]{0,256})?"/g)].map(([, name = ""]) => name)
}

function textOf(value: string): string {
  return (/^"((?:[^"\\]|\\.){0,1024})"/.exec(value)?.[1] ?? /^'([^']{0,1024})'/.exec(value)?.[1] ?? value).slice(
    0,
    1024,
  )
}
