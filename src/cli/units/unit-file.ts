/** Unit files of systemd (systemd.syntax(7)): sections of keys, a key perhaps many times, in order. */

/** One line. An empty value takes back what was said before. */
export type UnitLine = readonly [key: string, value: string]

/** Sections in order, by name. */
export type UnitFile = ReadonlyMap<string, readonly UnitLine[]>

/** The text of a unit. Pure. */
export function formatUnit(unit: UnitFile, comment?: string): string {
  const head = comment === undefined ? "" : `# ${comment}\n\n`
  const sections = [...unit].map(
    ([name, lines]) => `[${name}]\n${lines.map(([key, value]) => `${key}=${value}\n`).join("")}`,
  )
  return head + sections.join("\n")
}

/**
 * Words of a command line (systemd.service(5), COMMAND LINES): quoted where they need it, `%` and `$` doubled, so that each comes out
 * as it went in. Pure.
 */
export function unitWords(words: readonly string[]): string {
  return words.map((word) => quoted(word.replaceAll("%", "%%").replaceAll("$", () => "$$"))).join(" ")
}

/** The same where specifiers are wanted: what a user wrote into a unit of his own. Pure. */
export function unitWordsWithSpecifiers(words: readonly string[]): string {
  return words.map(quoted).join(" ")
}

function quoted(word: string): string {
  if (/^[\w%$@+=:,./-]+$/.test(word)) return word
  return `"${word.replace(ESCAPED, (one) => ESCAPES[one] ?? `\\x${one.charCodeAt(0).toString(16).padStart(2, "0")}`)}"`
}

/** A carriage return ends a line for systemd, too: what comes after it would be another key. */
// oxlint-disable-next-line no-control-regex
const ESCAPED = /[\\"\u0001-\u001f\u007f]/g
const ESCAPES: Readonly<Record<string, string>> = { "\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t" }
