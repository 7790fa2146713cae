import type { Package } from "./package.ts"
import { present, stanzas } from "./stanza.ts"

/** What an installed Python distribution says of itself (core metadata, PEP 566): the header before the description. */
export function parsePythonMetadata(text: string, foundIn: string): Package | undefined {
  const [fields] = stanzas(text)
  const [name, version] = [fields?.get("name"), fields?.get("version")]
  if (fields === undefined || !name || !version) return undefined
  const license = fields.get("license-expression") ?? fields.get("license")
  const supplier = fields.get("author-email") || fields.get("author")
  return {
    type: "pypi",
    kind: "python-pkg",
    name,
    version,
    ...present({
      license: license === "UNKNOWN" ? undefined : license,
      supplier: supplier === "UNKNOWN" ? undefined : supplier,
      homepage: fields.get("home-page"),
    }),
    foundIn,
  }
}
