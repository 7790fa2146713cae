/** KYAML (kubernetes.io, KEP-5295): YAML in braces, every text in quotes, so that no indentation and no bare word is misread. */
import { isNumber } from "./yaml.ts"

const STEP = "  "
const KEY = /^[\p{L}\p{Nd}_](?:[\p{L}\p{Nd}_./-]*[\p{L}\p{Nd}_])?$/u
const WORD = /^(?:true|false|null|yes|no|on|off|y|n|inf|nan)$/i
const SHORT: Readonly<Record<string, string>> = {
  "\0": "0",
  "\x07": "a",
  "\b": "b",
  "\n": "n",
  "\v": "v",
  "\f": "f",
  "\r": "r",
  "\x1b": "e",
  '"': '"',
  "\\": "\\",
  "\x85": "N",
  "\xa0": "_",
  "\u2028": "L",
  "\u2029": "P",
}

/** One document as kubectl 1.35 prints it: keys sorted, undefined values left out. */
export function kyaml(document: unknown): string {
  return `---\n${valueOf(document, "")}\n`
}

function valueOf(value: unknown, indent: string): string {
  if (Array.isArray(value)) return listOf(value, indent)
  if (typeof value === "object" && value !== null) return mapOf(value, indent)
  if (typeof value === "string") return value.includes("\n") ? linesOf(value, indent) : `"${escaped(value)}"`
  return JSON.stringify(value) ?? "null"
}

function mapOf(value: object, indent: string): string {
  const entries = Object.entries(value)
    .filter(([, one]) => one !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
  if (entries.length === 0) return "{}"
  const inner = indent + STEP
  return `{\n${entries.map(([key, one]) => `${inner}${keyOf(key)}: ${valueOf(one, inner)},\n`).join("")}${indent}}`
}

/** Of what has braces or brackets itself, those are put together with the list's own. */
function listOf(values: readonly unknown[], indent: string): string {
  if (values.length === 0) return "[]"
  const isCuddled = values.every((one) => typeof one === "object" && one !== null && Object.keys(one).length > 0)
  if (isCuddled) return `[${values.map((one) => valueOf(one, indent)).join(", ")}]`
  const inner = indent + STEP
  return `[\n${values.map((one) => `${inner}${valueOf(one, inner)},\n`).join("")}${indent}]`
}

function keyOf(key: string): string {
  return KEY.test(key) && !WORD.test(key) && !isNumber(key) ? key : `"${escaped(key)}"`
}

/** A line of text a line: the break is escaped, and what stands before the text is no part of it. */
function linesOf(text: string, indent: string): string {
  const inner = indent + STEP
  const parts = text.split("\n")
  const last = parts.pop() ?? ""
  const shown = [...parts.map((part) => `${escaped(part)}\\n`), ...(last === "" ? [] : [escaped(last)])]
  // blanks at a line's beginning would be read as those before it
  return `"\\\n${shown.map((part) => `${inner}${/^[ \t]/.test(part) ? "\\" : " "}${part}\\\n`).join("")}${inner}"`
}

function escaped(text: string): string {
  return text.replaceAll(/[\p{Cc}"\\\xa0\u2028\u2029\ufeff]/gu, (character) => {
    if (character === "\t") return character
    const code = character.charCodeAt(0)
    const short = SHORT[character]
    if (short !== undefined) return `\\${short}`
    return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`
  })
}
