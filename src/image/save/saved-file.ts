import type { Bytes } from "../../base/bytes.ts"
import type { ImageMember, ImageSet } from "../image.ts"
import type { LeasedManifest } from "../leased-manifest.ts"

/** A file of what is saved. `size` is known before its bytes are read: a tar header says it. */
export interface SavedFile {
  name: string
  size: number
  bytes(): Bytes
}

/** What is saved, and the names that it shall have; none when it was asked for by its id. */
export interface NamedSet extends ImageSet {
  names: readonly string[]
}

/** An image to be saved, which a lease keeps. */
export interface LeasedMember extends ImageMember {
  leased: LeasedManifest
}

/** Images to be saved, which a lease keeps. */
export interface LeasedSet extends NamedSet {
  members: readonly [LeasedMember, ...LeasedMember[]]
}

/** A file of bytes at hand, or of a document as JSON. */
export function documentFile(name: string, document: unknown): SavedFile {
  const bytes = document instanceof Uint8Array ? document : Buffer.from(JSON.stringify(document))
  return {
    name,
    size: bytes.length,
    async *bytes() {
      yield bytes
    },
  }
}
