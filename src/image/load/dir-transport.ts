import { createHash } from "node:crypto"
import type { ArchiveFiles } from "../../archive/archive.ts"
import { NotFound } from "../../base/errors.ts"
import { digestHex, parseDigest } from "../../spec/digest.ts"
import { MAX_MANIFEST_BYTES, type Descriptor } from "../../spec/oci-image.ts"
import type { ImageSource } from "../image.ts"
import type { ArchivedImage } from "./archived-image.ts"
import { readSmall } from "./read-small.ts"

/**
 * The one image of a `dir:` directory (containers-transports(5)): `manifest.json`, those that it names, where it is an index, as
 * `HEX.manifest.json`, and each blob by its hex digits.
 */
export async function imageOfDirectory(files: ArchiveFiles): Promise<ArchivedImage[]> {
  const bytes = await readSmall(files, "manifest.json", MAX_MANIFEST_BYTES)
  const digest = parseDigest(`sha256:${createHash("sha256").update(bytes).digest("hex")}`)
  const source: ImageSource = {
    async resolve({ digest: wanted }) {
      if (wanted === undefined) throw new NotFound("a directory of this kind knows its manifests by digest")
      const child = await readSmall(files, `${digestHex(wanted)}.manifest.json`, MAX_MANIFEST_BYTES)
      return { descriptor: { mediaType: "", digest: wanted, size: child.length }, bytes: child }
    },
    fetch: async (_, descriptor: Descriptor, offset = 0) => ({
      offset,
      bytes: files.read(digestHex(descriptor.digest), offset),
    }),
    readAgain: (descriptor) => files.read(digestHex(descriptor.digest), 0, { reuse: true }),
  }
  return [{ source, names: [], top: { descriptor: { mediaType: "", digest, size: bytes.length }, bytes } }]
}
