import type { Cursor } from "./cursor.ts"

// neither can fail once it has begun, so neither looks back
const PLAIN_IN_BLOCK = /(?:[^ \t\n:]+|:(?![ \t\n]|$)|[ \t]+(?![ \t\n#]|$))+/y
const PLAIN_IN_FLOW = /(?:[^ \t\n:,[\]{}]+|:(?![ \t\n,[\]{}]|$)|[ \t]+(?![ \t\n#]|$))+/y
const SIMPLE_DOUBLE = /"[^"\\\n]*"/y
const SIMPLE_SINGLE = /'[^'\n]*'/y
const BLOCK_HEADER = /[|>](?:[+-][1-9]?|[1-9][+-]?)?[ \t]*(?:(?<=[ \t])#[^\n]*)?(?=\n|$)/y
const NO_PLAIN_START = new Set([..."[]{},#&*!|>'\"%@`"].map((char) => char.charCodeAt(0)))
const [NEWLINE, HASH, DASH, COLON, QUESTION] = [10, 35, 45, 58, 63]

/** Whether a plain scalar may begin here. */
export function beginsPlain(cursor: Cursor, inFlow: boolean): boolean {
  const code = cursor.code()
  if (NO_PLAIN_START.has(code)) return false
  if (code !== DASH && code !== COLON && code !== QUESTION) return true
  return !cursor.isBlank(1) && !(inFlow && isFlowMark(cursor.code(1)))
}

/** One of `,[]{}`. */
export function isFlowMark(code: number): boolean {
  return code === 0x2c || code === 0x5b || code === 0x5d || code === 0x7b || code === 0x7d
}

/** The part of a plain scalar that stands on this line. */
export function plainLine(cursor: Cursor, inFlow: boolean): string {
  const text = cursor.match(inFlow ? PLAIN_IN_FLOW : PLAIN_IN_BLOCK)
  if (text === undefined) return ""
  const trimmed = text.trimEnd()
  cursor.pos -= text.length - trimmed.length
  return trimmed
}

/** `first` and what of it stands on further lines, which are indented by more than `parentIndent`. */
export function plainRest(cursor: Cursor, first: string, parentIndent: number, inFlow: boolean): string {
  let text = first
  for (;;) {
    const before = cursor.place()
    const breaks = nextLine(cursor, inFlow)
    const ends =
      breaks === 0 ||
      cursor.isEnd ||
      cursor.code() === HASH ||
      cursor.isMarker() ||
      (!inFlow && cursor.column <= parentIndent)
    const line = ends ? "" : plainLine(cursor, inFlow)
    if (line === "") {
      cursor.returnTo(before)
      return text
    }
    if (!inFlow) refuseKey(cursor)
    text += `${breaks === 1 ? " " : "\n".repeat(breaks - 1)}${line}`
  }
}

/** A scalar of several lines cannot be a key. */
function refuseKey(cursor: Cursor): void {
  const before = cursor.pos
  cursor.skipSpaces()
  if (cursor.code() === COLON && cursor.isBlank(1)) cursor.fail("mapping values are not allowed in this context")
  cursor.pos = before
}

/** To the next line that is not empty; how many lines ended. 0: something else stands on this one. */
function nextLine(cursor: Cursor, inFlow: boolean): number {
  let breaks = 0
  for (;;) {
    cursor.skipSpaces()
    if (cursor.code() !== NEWLINE) return breaks
    cursor.newLine(inFlow)
    breaks++
  }
}

/** `"…"` or `'…'`. */
export function quoted(cursor: Cursor): string {
  const isDouble = cursor.code() === 0x22
  const simple = cursor.match(isDouble ? SIMPLE_DOUBLE : SIMPLE_SINGLE)
  // `'it''s'` goes on
  if (simple !== undefined && (isDouble || cursor.code() !== 0x27)) return simple.slice(1, -1)
  if (simple !== undefined) cursor.pos -= simple.length
  const start = cursor.pos
  cursor.pos++
  let text = ""
  for (;;) {
    if (cursor.isEnd) cursor.fail("found unexpected end of stream", start)
    const char = cursor.text.charAt(cursor.pos)
    if (char === "\n") text = folded(cursor, text)
    else if (isDouble && char === "\\") text += escaped(cursor)
    else if (char !== (isDouble ? '"' : "'")) {
      text += char
      cursor.pos++
    } else if (!isDouble && cursor.code(1) === 0x27) {
      text += "'"
      cursor.pos += 2
    } else {
      cursor.pos++
      return text
    }
  }
}

function folded(cursor: Cursor, text: string): string {
  const breaks = nextLine(cursor, true)
  if (cursor.isMarker()) cursor.fail("found unexpected document indicator")
  return `${text.replace(/[ \t]+$/, "")}${breaks === 1 ? " " : "\n".repeat(breaks - 1)}`
}

const ESCAPES: Readonly<Record<string, string>> = {
  "0": "\0",
  a: "\u0007",
  b: "\b",
  t: "\t",
  "\t": "\t",
  n: "\n",
  v: "\v",
  f: "\f",
  r: "\r",
  e: "\u001B",
  " ": " ",
  '"': '"',
  "/": "/",
  "\\": "\\",
  "'": "'",
  N: "\u0085",
  _: "\u00A0",
  L: "\u2028",
  P: "\u2029",
}
const HEX_DIGITS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 }

function escaped(cursor: Cursor): string {
  const start = cursor.pos
  const letter = cursor.text.charAt(start + 1)
  if (letter === "\n") {
    cursor.pos++
    const breaks = nextLine(cursor, true)
    return "\n".repeat(breaks - 1)
  }
  const digits = HEX_DIGITS[letter]
  if (digits !== undefined) {
    const hex = cursor.text.substr(start + 2, digits)
    if (hex.length < digits || !/^[0-9a-fA-F]+$/.test(hex))
      cursor.fail("did not find expected hexdecimal number", start)
    const code = Number.parseInt(hex, 16)
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
      cursor.fail("found invalid Unicode character escape code", start)
    cursor.pos += 2 + digits
    return String.fromCodePoint(code)
  }
  const char = ESCAPES[letter]
  if (char === undefined || letter === "") cursor.fail("found unknown escape character", start)
  cursor.pos += 2
  return char
}

/** `|` or `>` with its lines. */
export function blockScalar(cursor: Cursor, parentIndent: number): string {
  const header = cursor.match(BLOCK_HEADER)
  if (header === undefined) cursor.fail("did not find expected comment or line break")
  const marks = header.split("#", 1)[0] ?? ""
  const given = /[1-9]/.exec(marks)?.[0]
  const lines: string[] = []
  let indent = given === undefined ? -1 : Math.max(parentIndent, 0) + Number(given)
  let at = cursor.pos + 1
  let end = cursor.pos
  while (at < cursor.text.length) {
    const lineEnd = endOfLine(cursor.text, at)
    const line = cursor.text.substring(at, lineEnd)
    const spaces = leadingSpaces(line)
    if (spaces < line.length) {
      if (indent < 0) indent = Math.max(parentIndent + 1, 1, spaces)
      if (spaces < indent) break
    }
    lines.push(line.slice(indent < 0 ? line.length : indent))
    end = lineEnd
    at = lineEnd + 1
  }
  moveToEnd(cursor, end)
  return chomped(lines, marks, cursor.text.charCodeAt(end) === NEWLINE)
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf("\n", from)
  return end === -1 ? text.length : end
}

function leadingSpaces(line: string): number {
  let count = 0
  while (line.charCodeAt(count) === 32) count++
  return count
}

function moveToEnd(cursor: Cursor, end: number): void {
  cursor.pos = end
  cursor.lineStart = cursor.text.lastIndexOf("\n", end - 1) + 1
  cursor.lineIndent = -1
}

/** Lines joined as the header says: literally or folded; clipped, stripped or kept at the end. */
function chomped(lines: string[], marks: string, hasLastBreak: boolean): string {
  let count = lines.length
  while (count > 0 && lines[count - 1] === "") count--
  const content = lines.slice(0, count)
  const text = marks.startsWith("|") ? content.join("\n") : foldLines(content)
  if (marks.includes("-")) return text
  const trailing = lines.length - count
  if (marks.includes("+")) return text + "\n".repeat(trailing + (count > 0 && (hasLastBreak || trailing > 0) ? 1 : 0))
  return count > 0 && (hasLastBreak || trailing > 0) ? `${text}\n` : text
}

function foldLines(lines: readonly string[]): string {
  let text = ""
  let empty = 0
  let wasIndented = true
  let isFirst = true
  for (const line of lines) {
    if (line === "") {
      empty++
      continue
    }
    const isIndented = line.startsWith(" ") || line.startsWith("\t")
    if (isFirst) text += "\n".repeat(empty)
    else if (wasIndented || isIndented) text += "\n".repeat(empty + 1)
    else text += empty === 0 ? " " : "\n".repeat(empty)
    text += line
    wasIndented = isIndented
    isFirst = false
    empty = 0
  }
  return text
}
