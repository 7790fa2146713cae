import { withDependencies, wordsOf, type Needing } from "./dependencies.ts"
import type { Package } from "./package.ts"
import { cutList, linesOf, MAX_PACKAGES, MAX_VALUE, present } from "./stanza.ts"

/** The packages of apk's database: a letter and a value a line, an empty line after each (apk-tools, "APK installed db"). */
export function parseApkInstalled(text: string, foundIn: string): Package[] {
  const packages: Needing[] = []
  let fields = new Map<string, string>()
  const end = () => {
    const found = packageOf(fields, foundIn)
    if (found) packages.push(found)
    fields = new Map()
  }
  for (const line of linesOf(text)) {
    if (packages.length >= MAX_PACKAGES) return withDependencies(packages)
    if (line === "") end()
    // files and directories follow under letters of their own
    else if (line[1] === ":" && !fields.has(line.slice(0, 1)))
      fields.set(
        line.slice(0, 1),
        line.startsWith("D") || line.startsWith("p") ? cutList(line.slice(2)) : line.slice(2, 2 + MAX_VALUE),
      )
  }
  end()
  return withDependencies(packages)
}

function packageOf(fields: ReadonlyMap<string, string>, foundIn: string): Needing | undefined {
  const [name, version, source] = [fields.get("P"), fields.get("V"), fields.get("o")]
  if (!name || !version) return undefined
  const details = {
    architecture: fields.get("A"),
    license: fields.get("L"),
    supplier: fields.get("m"),
    homepage: fields.get("U"),
    source: source === name ? undefined : source,
  }
  return {
    found: { type: "apk", kind: "apk", name, version, ...present(details), foundIn },
    // `so:libc.musl-x86_64.so.1`, `cmd:ldd=1.2.4-r2`; `!name` is a conflict
    words: { needs: wordsOf(fields.get("D"), / /), gives: wordsOf(fields.get("p"), / /) },
  }
}
