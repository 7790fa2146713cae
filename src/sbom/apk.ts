import type { Package } from "./package.ts"
import { linesOf, MAX_PACKAGES, MAX_VALUE, present } from "./stanza.ts"

/** The packages of apk's database: a letter and a value a line, an empty line after each (apk-tools, "APK installed db"). */
export function parseApkInstalled(text: string, foundIn: string): Package[] {
  const packages: Package[] = []
  let fields = new Map<string, string>()
  const end = () => {
    const found = packageOf(fields, foundIn)
    if (found) packages.push(found)
    fields = new Map()
  }
  for (const line of linesOf(text)) {
    if (packages.length >= MAX_PACKAGES) return packages
    if (line === "") end()
    // files and directories follow under letters of their own
    else if (line[1] === ":" && !fields.has(line.slice(0, 1)))
      fields.set(line.slice(0, 1), line.slice(2, 2 + MAX_VALUE))
  }
  end()
  return packages
}

function packageOf(fields: ReadonlyMap<string, string>, foundIn: string): Package | undefined {
  const [name, version, source] = [fields.get("P"), fields.get("V"), fields.get("o")]
  if (!name || !version) return undefined
  const details = {
    architecture: fields.get("A"),
    license: fields.get("L"),
    supplier: fields.get("m"),
    homepage: fields.get("U"),
    source: source === name ? undefined : source,
  }
  return { type: "apk", name, version, ...present(details), foundIn }
}
