/** A field's value of hostile text, cut short. */
const MAX_VALUE = 1000

/**
 * The paragraphs of a Debian control file (deb-control(5)) or of a mail-like header: `Name: value`, the value going on in
 * lines that begin with white space, of which only the first line is kept. Names are in lower case.
 */
export function* stanzas(text: string, end = Infinity): Generator<ReadonlyMap<string, string>> {
  let fields = new Map<string, string>()
  let count = 0
  for (let at = 0; at < text.length;) {
    const next = text.indexOf("\n", at)
    const line = text.slice(at, next < 0 ? text.length : next).replace(/\r$/, "")
    at = next < 0 ? text.length : next + 1
    if (line === "") {
      if (fields.size > 0) yield fields
      fields = new Map()
      if (++count >= end) return
      continue
    }
    const colon = line.indexOf(":")
    if (colon <= 0 || line.startsWith(" ") || line.startsWith("\t")) continue
    const name = line.slice(0, colon).toLowerCase()
    // the first counts: who repeats a field hides one
    if (!fields.has(name))
      fields.set(
        name,
        line
          .slice(colon + 1)
          .trim()
          .slice(0, MAX_VALUE),
      )
  }
  if (fields.size > 0) yield fields
}

/** The fields that are there, for a spread. */
export function present<K extends string>(fields: Readonly<Record<K, string | undefined>>): { [P in K]?: string } {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined && value !== "")
  return Object.fromEntries(given) as { [P in K]?: string }
}
