import type { Digest } from "../../spec/digest.ts"
import type { ImageSource, ResolvedManifest } from "../image.ts"

/** An image to be fetched from an archive. */
export interface NewArchivedImage {
  source: ImageSource
  top: ResolvedManifest
  names: readonly string[]
  /** Of a layout: its `org.opencontainers.image.ref.name`s, which are free text. */
  refNames?: readonly string[]
  /** Of a docker archive: how it calls the files of the layers, lowest first. */
  layerFiles?: readonly string[]
}

/** One image of an archive: new, or, by its id, one that is here. */
export type ArchivedImage = NewArchivedImage | { known: Digest; names: readonly string[] }
