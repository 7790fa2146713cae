import type { ListedFile } from "../../archive/archive.ts"
import type { Bytes } from "../../base/bytes.ts"
import type { Digest, DiffId } from "../../spec/digest.ts"
import type { ImageConfig } from "../../spec/oci-image.ts"
import type { DockerfileLine } from "../explore.ts"

/** One layer of an image that is explored. */
export interface SourceLayer {
  diffId: DiffId
  digest?: Digest
  id: string
  /** Its uncompressed archive. Each chunk is overwritten once the next is asked for. */
  tar(signal?: AbortSignal): Bytes
  /** Where its index is kept; undefined: nowhere. */
  indexPath?: string
  /** Nobody has checked that these are the bytes that the diff id is of; `strict`: it must be so. */
  check?: "strict" | "noted"
  /** What its table of contents says, where that may stand for the archive. */
  table?(): Promise<readonly ListedFile[] | undefined>
  /** Where its files lie, unpacked: hostile. */
  directory?(): string
  /** What made it, where our builder knows. */
  dockerfileLine?: DockerfileLine
  /** A file as it lies on the disk, open for reading. Undefined where files are only in the archive, or it is not there. */
  openFile?(path: string): number | undefined
  /** The archive from a byte on, where that need not read all before. */
  tarFrom?(offset: number): Promise<Bytes | undefined>
}

/** Where an explored image comes from, open. */
export interface ImageSourceOpened extends AsyncDisposable {
  name: string
  tags: readonly string[]
  id: Digest
  config: ImageConfig
  layers: readonly SourceLayer[]
  /** Where the figures of all layers are kept. */
  figuresPath?: string
}
