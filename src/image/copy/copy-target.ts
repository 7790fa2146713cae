import type { Bytes } from "../../base/bytes.ts"
import type { Descriptor } from "../../spec/oci-image.ts"
import type { ResolvedManifest } from "../image.ts"

/** A blob on its way: what it is, and its bytes from an offset on, which are checked where they are stored. */
export interface TravellingBlob {
  descriptor: Descriptor
  read(offset: number): Bytes
}

/** Where one image goes. Nothing there leads to it before `commit`. */
export interface CopyTarget {
  /** The one format that it can hold; undefined: manifests stay what they are. */
  readonly format?: "oci" | "docker"
  /** Plain layers are compressed on their way to it. */
  readonly compresses?: boolean
  /** It cannot hold an index. */
  readonly single?: boolean
  /** It keeps no manifest, so that no digest can be kept. */
  readonly keepsNoManifest?: boolean
  /** Sees to it that the blob is there; false when it was. Safe to repeat. */
  blob(blob: TravellingBlob): Promise<boolean>
  /** A manifest that an index names; all that it names is there. */
  child(document: ResolvedManifest): Promise<void>
  /** The manifest or index that the name leads to, last. */
  commit(top: ResolvedManifest): Promise<void>
}
