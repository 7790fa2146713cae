import { Ordered } from "./yaml-tree.ts"

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
}

/** As Go's encoding/json writes: keys of maps sorted by their bytes, `<`, `>` and `&` escaped. `indent`: spaces a level; 0 is one line. */
export function jsonText(value: unknown, indent: number, margin = ""): string {
  if (value === null || value === undefined) return "null"
  if (typeof value === "string") return quoted(value)
  if (typeof value === "number") return numberText(value)
  if (typeof value === "bigint") return String(value)
  if (value instanceof Date) return quoted(value.toISOString().replace(/\.000Z$/, "Z"))
  if (typeof value !== "object") return String(value)
  const deeper = indent === 0 ? "" : margin + " ".repeat(indent)
  if (Array.isArray(value))
    return wrap(
      "[",
      value.map((item) => jsonText(item, indent, deeper)),
      "]",
      deeper,
      margin,
      indent,
    )
  const colon = indent === 0 ? ":" : ": "
  const members = entriesOf(value).map(([name, one]) => `${quoted(name)}${colon}${jsonText(one, indent, deeper)}`)
  return wrap("{", members, "}", deeper, margin, indent)
}

function wrap(
  open: string,
  parts: readonly string[],
  close: string,
  deeper: string,
  margin: string,
  indent: number,
): string {
  if (parts.length === 0) return open + close
  if (indent === 0) return open + parts.join(",") + close
  return `${open}\n${parts.map((part) => deeper + part).join(",\n")}\n${margin}${close}`
}

function entriesOf(value: object): readonly (readonly [string, unknown])[] {
  if (value instanceof Ordered) return value.entries
  return Object.entries(value).toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
}

function quoted(text: string): string {
  return `"${[...text].map((character) => ESCAPES[character] ?? (isSafe(character) ? character : unicode(character))).join("")}"`
}

/** Nothing that ends a line or a script where the text is put into a page. */
function isSafe(character: string): boolean {
  return character >= " " && !"<>&\u2028\u2029".includes(character)
}

function unicode(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
}

/** An exponent only for what is very small or very large. */
function numberText(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e21
    ? BigInt(value).toString()
    : String(value).replace(/e([+-])(\d)$/, "e$10$2")
}
