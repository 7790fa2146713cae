/** Go's ways to print values: the history of an image has them, and must be the same to the byte. */

/** `%q` of a string. */
export function quote(text: string): string {
  return `"${text.replace(/["\\]|\p{C}|(?! )\p{Z}/gu, escapeCharacter)}"`
}

/** `%q` of a number: the character that it stands for, `'\x03'`, `'A'`. */
export function quoteRune(code: number): string {
  const isRune = code >= 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff)
  const char = isRune ? String.fromCodePoint(code) : "\uFFFD"
  if (char === "'") return "'\\''"
  return char === '"' ? `'"'` : `'${quote(char).slice(1, -1)}'`
}

/** `%q` of a slice: `["a" "b"]`. */
export function quoteAll(words: readonly string[]): string {
  return `[${words.map(quote).join(" ")}]`
}

/** `%v` of a slice: `[a b]`. */
export function listAll(words: readonly string[]): string {
  return `[${words.join(" ")}]`
}

const NAMED: Record<string, string> = {
  '"': '\\"',
  "\\": "\\\\",
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
}

function escapeCharacter(char: string): string {
  const code = char.codePointAt(0) ?? 0
  if (NAMED[char] !== undefined) return NAMED[char]
  if (code < 0x80) return `\\x${hex(code, 2)}`
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`
}

function hex(code: number, width: number): string {
  return code.toString(16).padStart(width, "0")
}
