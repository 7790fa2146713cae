import { InvalidArgument } from "../../base/errors.ts"

/** One word of HCL. A template holds its parts as they stand: text, or the source of an expression or directive. */
export type Token =
  | { kind: "name" | "number" | "sign"; text: string; at: number }
  | { kind: "newline" | "end"; text: ""; at: number }
  | { kind: "template"; text: string; at: number; parts: readonly TemplatePart[] }

/** `${…}` is an expression, `%{…}` a directive; `trims` what `~` takes away. */
export type TemplatePart =
  { kind: "text"; text: string } | { kind: "expression" | "directive"; text: string; at: number }

const SIGNS = ["...", "=>", "==", "!=", "<=", ">=", "&&", "||", ..."{}[]()=,.:?!<>+-*/%"]
const NAME = /[\p{L}_][\p{L}\p{N}_-]*/uy
const NUMBER = /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const HEREDOC = /<<(-?)([\p{L}_][\p{L}\p{N}_-]*)\r?\n/uy
const SPACE = /(?:[ \t\r]|#[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?\*\/)+/y

/** The words of a text of HCL (its specification's lexical elements). Throws InvalidArgument with the line. */
export function tokenize(text: string, offset = 0): Token[] {
  const tokens: Token[] = []
  for (let at = 0; at < text.length;) {
    const space = matchAt(SPACE, text, at)
    if (space) {
      at += space[0].length
      continue
    }
    const [token, end] = next(text, at, offset)
    tokens.push(token)
    at = end
  }
  return [...tokens, { kind: "end", text: "", at: offset + text.length }]
}

function next(text: string, at: number, offset: number): [Token, number] {
  const place = offset + at
  if (text[at] === "\n") return [{ kind: "newline", text: "", at: place }, at + 1]
  if (text[at] === '"') {
    const { parts, end } = quoted(text, at + 1, offset)
    return [{ kind: "template", text: text.slice(at, end), at: place, parts }, end]
  }
  const heredoc = matchAt(HEREDOC, text, at)
  if (heredoc) {
    const { parts, end } = heredocParts(text, heredoc, at, offset)
    return [{ kind: "template", text: text.slice(at, end), at: place, parts }, end]
  }
  const name = matchAt(NAME, text, at)?.[0]
  if (name !== undefined) return [{ kind: "name", text: name, at: place }, at + name.length]
  const number = matchAt(NUMBER, text, at)?.[0]
  if (number !== undefined) return [{ kind: "number", text: number, at: place }, at + number.length]
  const sign = SIGNS.find((one) => text.startsWith(one, at))
  if (sign === undefined) throw new InvalidArgument(`invalid character "${text[at]}"`, { data: { at: place } })
  return [{ kind: "sign", text: sign, at: place }, at + sign.length]
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(text)
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", '"': '"', "\\": "\\" }

function quoted(text: string, start: number, offset: number): { parts: TemplatePart[]; end: number } {
  const parts = new Parts()
  for (let at = start; at < text.length;) {
    const letter = text[at]
    if (letter === '"') return { parts: parts.end(), end: at + 1 }
    if (letter === "\n") break
    if (letter === "\\") {
      const [value, length] = escaped(text, at, offset)
      parts.add(value)
      at += length
    } else at = templateStep(parts, text, at, offset)
  }
  throw new InvalidArgument("a string is not closed", { data: { at: offset + start - 1 } })
}

function escaped(text: string, at: number, offset: number): [value: string, length: number] {
  const letter = text[at + 1] ?? ""
  const simple = ESCAPES[letter]
  if (simple !== undefined) return [simple, 2]
  const digits = /^(?:u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})/.exec(text.slice(at + 1, at + 10))?.[0]
  const point = Number.parseInt(digits?.slice(1) ?? "", 16)
  if (digits === undefined || point > 0x10_ff_ff)
    throw new InvalidArgument(`invalid escape "\\${letter}"`, { data: { at: offset + at } })
  return [String.fromCodePoint(point), digits.length + 1]
}

/** One letter of text, `$${`, or a whole `${…}`. */
function templateStep(parts: Parts, text: string, at: number, offset: number): number {
  const letter = text[at] ?? ""
  if (letter !== "$" && letter !== "%") {
    const end = text.slice(at).search(/[$%"\\\n]/)
    const plain = end < 0 ? text.slice(at) : text.slice(at, at + Math.max(1, end))
    parts.add(plain)
    return at + plain.length
  }
  if (text.startsWith(`${letter}${letter}{`, at)) {
    parts.add(`${letter}{`)
    return at + 3
  }
  if (text[at + 1] !== "{") {
    parts.add(letter)
    return at + 1
  }
  const end = closingBrace(text, at + 2, offset)
  parts.insert(letter === "$" ? "expression" : "directive", text.slice(at + 2, end), offset + at + 2)
  return end + 1
}

/** Where the brace closes that was opened just before `start`: strings and braces inside are gone over. */
function closingBrace(text: string, start: number, offset: number): number {
  let depth = 0
  for (let at = start; at < text.length;) {
    if (text[at] === "}" && depth-- === 0) return at
    if (text[at] === "{") depth++
    // a string inside is read as one: its own templates may hold braces and quotes
    at = text[at] === '"' ? nestedEnd(text, at, offset) : at + 1
  }
  throw new InvalidArgument("a template is not closed", { data: { at: offset + start } })
}

const MOST_NESTED = 32
let nested = 0

function nestedEnd(text: string, at: number, offset: number): number {
  if (nested >= MOST_NESTED) throw new InvalidArgument("templates are nested too deeply", { data: { at: offset + at } })
  nested++
  try {
    return quoted(text, at + 1, offset).end
  } finally {
    nested--
  }
}

function heredocParts(
  text: string,
  [opening, dash, marker]: RegExpExecArray,
  at: number,
  offset: number,
): { parts: TemplatePart[]; end: number } {
  const start = at + opening.length
  const closing = new RegExp(`^[ \\t]*${marker}(?=\\r?$)`, "mu").exec(text.slice(start))
  if (!closing) throw new InvalidArgument(`the heredoc ${marker} is not closed`, { data: { at: offset + at } })
  const raw = text.slice(start, start + closing.index)
  const body = dash === "-" ? withoutIndent(raw) : raw
  const parts = new Parts()
  for (let position = 0; position < body.length;) position = templateStep(parts, body, position, offset + start)
  return { parts: parts.end(), end: start + closing.index + closing[0].length }
}

function withoutIndent(text: string): string {
  const lines = text.split("\n")
  const widths = lines.filter((line) => line.trim() !== "").map((line) => /^[ \t]*/.exec(line)?.[0].length ?? 0)
  const least = widths.reduce((before, width) => Math.min(before, width), Infinity)
  return lines.map((line) => (line.trim() === "" ? line.trimStart() : line.slice(least))).join("\n")
}

/** Gathers parts; `~` beside a brace takes the space on that side away. */
class Parts {
  readonly #parts: TemplatePart[] = []
  #trimsNext = false

  add(text: string): void {
    const kept = this.#trimsNext ? text.trimStart() : text
    if (kept !== "") this.#trimsNext = false
    const last = this.#parts.at(-1)
    if (last?.kind === "text") last.text += kept
    else if (kept !== "") this.#parts.push({ kind: "text", text: kept })
  }

  insert(kind: "expression" | "directive", source: string, at: number): void {
    const last = this.#parts.at(-1)
    if (source.startsWith("~") && last?.kind === "text") last.text = last.text.trimEnd()
    this.#trimsNext = source.endsWith("~")
    const text = source.replace(/^~/, " ").replace(/~$/, " ")
    this.#parts.push({ kind, text, at })
  }

  end(): TemplatePart[] {
    return this.#parts
  }
}

/** The parts of a template that stands alone, without quotes and escapes: a string of a bake file in JSON. */
export function templateParts(text: string): TemplatePart[] {
  const parts = new Parts()
  for (let at = 0; at < text.length;) at = templateStep(parts, text, at, 0)
  return parts.end()
}
