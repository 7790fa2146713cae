import { NotFound } from "../base/errors.ts"
import type { ImageRecords } from "./records.ts"

/** See `Images.untag`. */
export function untagInRecords(records: ImageRecords, nameOrId: string, names: readonly string[]): string[] {
  return records.transaction(() => {
    const { image } = records.mustLocate(nameOrId)
    const gone = names.length === 0 ? [...image.tags] : names.map((name) => nameOf(records, image.id, name))
    for (const name of gone) records.unsetName(name)
    return gone
  })
}

/** The full name, of this image. Throws NotFound. */
function nameOf(records: ImageRecords, id: string, text: string): string {
  const found = records.locate(text)
  if (found?.name === undefined || found.image.id !== id)
    throw new NotFound(`the image has no name "${text}"`, { hint: { do: "listImages" } })
  return found.name
}
