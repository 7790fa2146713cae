import { isSkiffError } from "../base/errors.ts"
import { expand } from "./words.ts"
import type { HereDocument } from "./dockerfile.ts"

/** A here-document before its lines are read. */
export type HereDocumentHead = Omit<HereDocument, "content">

const NO_VARIABLES = new Map<string, string>()

/** The here-document that a word begins (`<<EOF`, `<<-"E F"`, `3<<X`), or undefined. */
export function parseHereDocument(word: string): HereDocumentHead | undefined {
  const [, dash = "", rest = ""] = /^\d*<<(-?)([^<]*)$/.exec(word) ?? []
  if (rest === "") return undefined
  const bare = expand(rest, NO_VARIABLES, { keepUnset: true })
  const raw = expand(rest, NO_VARIABLES, { keepUnset: true, rawQuotes: true })
  const [name] = bare.words
  if (name === undefined || bare.words.length !== 1) return undefined
  // quotes that are gone from the name were quotes: the content is then taken as it is
  return { name, chomp: dash === "-", expand: quotesIn(name) === quotesIn(raw.words[0] ?? "") }
}

/** All here-documents that a line begins, in their order. A line with an open quote has none. */
export function hereDocumentsOf(line: string): HereDocumentHead[] {
  if (!line.includes("<<")) return []
  try {
    const { words } = expand(line, NO_VARIABLES, { rawQuotes: true, rawEscapes: true, keepUnset: true })
    return joinHeads(words)
      .map(parseHereDocument)
      .filter((head) => head !== undefined)
  } catch (error) {
    if (isSkiffError(error, "InvalidArgument")) return []
    throw error
  }
}

// buildkit: `<< EOF` is one word, `<<- EOF` is not
function joinHeads(words: readonly string[]): string[] {
  const joined: string[] = []
  for (const word of words) {
    const last = joined.length - 1
    if (/^\d*<<$/.test(joined[last] ?? "")) joined[last] += word
    else joined.push(word)
  }
  return joined
}

/** The content as `<<-` means it: without leading tabs. */
export function withoutLeadingTabs(content: string): string {
  return content.replace(/^\t+/gm, "")
}

function quotesIn(text: string): number {
  return text.replace(/[^"']/g, "").length
}
