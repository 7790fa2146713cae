import type { Package } from "./package.ts"
import { present } from "./stanza.ts"

const MAX_VALUE = 1000

/** The packages of apk's database: a letter and a value a line, an empty line after each (apk-tools, "APK installed db"). */
export function parseApkInstalled(text: string, foundIn: string): Package[] {
  return text.split("\n\n").flatMap((paragraph): Package[] => {
    const fields = new Map<string, string>()
    for (const line of paragraph.split("\n"))
      // files and folders follow under letters of their own
      if (line[1] === ":" && !fields.has(line.slice(0, 1))) fields.set(line.slice(0, 1), line.slice(2, MAX_VALUE))
    const [name, version, source] = [fields.get("P"), fields.get("V"), fields.get("o")]
    if (!name || !version) return []
    const details = {
      architecture: fields.get("A"),
      license: fields.get("L"),
      supplier: fields.get("m"),
      homepage: fields.get("U"),
      source: source === name ? undefined : source,
    }
    return [{ type: "apk", name, version, ...present(details), foundIn }]
  })
}
