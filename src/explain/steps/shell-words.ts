/** Words as a POSIX shell reads them. */

const PLAIN = /^[\w@%+=:,./-]+$/

/** One word, quoted where a shell would make something else of it. */
export function shellWord(text: string): string {
  return PLAIN.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

/** A command line of words. */
export function shellLine(...words: readonly (string | number | undefined)[]): string {
  return words.flatMap((word) => (word === undefined ? [] : [shellWord(String(word))])).join(" ")
}

/** Writes `text` into the file at `path`: one line, whatever lines the text has (printf(1p), "EXTENDED DESCRIPTION"). */
export function shellWrite(path: string, text: string): string {
  const format = text.replaceAll("\\", "\\\\").replaceAll("%", "%%").replaceAll("\n", "\\n")
  // what begins with a dash would be an option
  return `printf ${format.startsWith("-") ? "-- " : ""}${shellWord(format)} > ${shellWord(path)}`
}
