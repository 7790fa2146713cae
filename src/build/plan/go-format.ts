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

/** A time.Duration, given in nanoseconds: `1m30s`, `1.5s`, `200ms`, `0s`. */
export function formatDuration(nanoseconds: number): string {
  if (nanoseconds === 0) return "0s"
  if (nanoseconds < 1e3) return `${nanoseconds}ns`
  if (nanoseconds < 1e6) return `${nanoseconds / 1e3}µs`
  if (nanoseconds < 1e9) return `${nanoseconds / 1e6}ms`
  const whole = Math.floor(nanoseconds / 1e9)
  const hours = Math.floor(whole / 3600)
  const minutes = Math.floor(whole / 60) % 60
  const fraction = String(Math.round(nanoseconds % 1e9))
    .padStart(9, "0")
    .replace(/0+$/, "")
  const seconds = `${whole % 60}${fraction === "" ? "" : `.${fraction}`}s`
  if (hours > 0) return `${hours}h${minutes}m${seconds}`
  return minutes > 0 ? `${minutes}m${seconds}` : seconds
}
