import { NotFound } from "../../base/errors.ts"
import { parseReference, type Images } from "../../image/image.ts"
import type { ManifestList } from "../../manifest/manifest.ts"
import { isDigest, type Digest } from "../../spec/digest.ts"

/** The entry that a user means: by its digest, or by the name of an image. Throws NotFound with the digests that there are. */
export function entryDigest({ name, entries }: ManifestList, text: string, images: Images): Digest {
  if (isDigest(text)) return text
  const id = images.find(text)?.id
  const { registry, repository, digest } = parseReference(text.replace(/^docker:\/\//, ""))
  const found = entries.filter(({ descriptor, source }) => {
    if ("image" in source) return source.image === id
    const at = parseReference(source.reference)
    return (
      at.registry === registry && at.repository === repository && (digest ?? descriptor.digest) === descriptor.digest
    )
  })
  const [only, another] = found
  if (only !== undefined && another === undefined) return only.descriptor.digest
  throw new NotFound(
    `"${text}" ${another === undefined ? "is no" : "may be several"} image of the manifest list "${name}"`,
    {
      hint: { valid: entries.map(({ descriptor }) => descriptor.digest) },
    },
  )
}
