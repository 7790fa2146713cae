/** A field's value in hostile text is cut to this. */
export const MAX_VALUE = 256
/** A database that says it has more is no package manager's. */
export const MAX_PACKAGES = 100_000
const MAX_FIELDS = 200
/** Of lists of names. */
const MAX_LIST = 64 * 1024
const NO_LISTS: ReadonlySet<string> = new Set()

/** The lines of a text, one after the other: those of a large file are never all in memory. */
export function* linesOf(text: string): Generator<string> {
  for (let at = 0; at < text.length;) {
    const next = text.indexOf("\n", at)
    yield text.slice(at, next < 0 ? text.length : next)
    at = next < 0 ? text.length : next + 1
  }
}

/**
 * The paragraphs of a Debian control file (deb-control(5)) or of a mail-like header: `Name: value`, the value going on in
 * lines that begin with white space, of which only the first line is kept. Names are in lower case. Of the fields `lists` more is kept.
 */
export function* stanzas(text: string, lists: ReadonlySet<string> = NO_LISTS): Generator<ReadonlyMap<string, string>> {
  let fields = new Map<string, string>()
  for (const raw of linesOf(text)) {
    const line = raw.replace(/\r$/, "")
    if (line === "") {
      if (fields.size > 0) yield fields
      fields = new Map()
      continue
    }
    const colon = line.indexOf(":")
    if (colon <= 0 || line.startsWith(" ") || line.startsWith("\t") || fields.size >= MAX_FIELDS) continue
    const name = line.slice(0, Math.min(colon, MAX_VALUE)).toLowerCase()
    // the first counts: who repeats a field hides one
    if (!fields.has(name))
      fields.set(
        name,
        line
          .slice(colon + 1)
          .trim()
          .slice(0, lists.has(name) ? MAX_LIST : MAX_VALUE),
      )
  }
  if (fields.size > 0) yield fields
}

/** A line of a list of names, cut. */
export function cutList(text: string): string {
  return text.slice(0, MAX_LIST)
}

/** The fields that are there, for a spread. */
export function present<K extends string>(fields: Readonly<Record<K, string | undefined>>): { [P in K]?: string } {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined && value !== "")
  return Object.fromEntries(given) as { [P in K]?: string }
}
