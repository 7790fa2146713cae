/** Where a cache lies: blobs by digest, and documents that name them. Bytes come and go as they are; who reads checks them. */
import type { Bytes } from "../../content/content.ts"
import type { Digest } from "../../spec/digest.ts"
import type { Descriptor } from "../../spec/oci-image.ts"

/** A cache to import from. All bytes are hostile until their digest is checked. */
export interface CacheReader {
  /** As the user named it. */
  readonly name: string
  /** The document to begin with. Throws NotFound, PermissionDenied, Unavailable. */
  top(): Promise<{ descriptor: Descriptor; bytes: Uint8Array }>
  /** Another document beside it. */
  document(digest: Digest): Promise<{ descriptor: Descriptor; bytes: Uint8Array }>
  /** A blob, from `offset` on if the place can begin there. */
  fetch(descriptor: Descriptor, offset: number): Promise<{ offset: number; bytes: Bytes }>
}

/** A cache to export to. Nothing of it can be seen before `publish`. */
export interface CacheWriter {
  has(descriptor: Descriptor): Promise<boolean>
  /** `read` gives the blob's bytes from an offset on. Safe to repeat; nothing is to be seen of it before it is whole. */
  put(descriptor: Descriptor, read: (offset: number) => Bytes, onProgress?: (sentBytes: number) => void): Promise<void>
  /** From now on the cache is what this document says. Its blobs are there. */
  publish(bytes: Uint8Array, descriptor: Descriptor): Promise<void>
}
