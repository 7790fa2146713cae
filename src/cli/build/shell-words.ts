import { InvalidArgument } from "../../base/errors.ts"

/** Splits a line as a POSIX shell splits words, quotes and backslashes heeded, nothing expanded. Throws InvalidArgument. */
export function shellWords(line: string): string[] {
  const words: string[] = []
  let word: string | undefined
  let quote = ""
  for (let at = 0; at < line.length; at++) {
    const character = line[at] ?? ""
    if (quote === "" && /\s/.test(character)) {
      if (word !== undefined) words.push(word)
      word = undefined
      continue
    }
    word ??= ""
    if (quote !== "" && character === quote) quote = ""
    else if (quote === "" && (character === "'" || character === '"')) quote = character
    else if (character === "\\" && quote !== "'" && at + 1 < line.length && escapes(line[at + 1] ?? "", quote))
      word += line[++at] ?? ""
    else word += character
  }
  if (quote !== "") throw new InvalidArgument(`no closing ${quote} in: ${line}`)
  if (word !== undefined) words.push(word)
  return words
}

/** Between double quotes a backslash escapes only these (POSIX, Shell Command Language 2.2.3). */
function escapes(next: string, quote: string): boolean {
  return quote === "" || ["$", "`", '"', "\\", "\n"].includes(next)
}
