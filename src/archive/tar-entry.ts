import type { Time } from "../sys/fs/attributes.ts"

/** What an entry makes. */
export type TarEntryType = "file" | "directory" | "symlink" | "hardlink" | "fifo" | "character" | "block"

/** One file of a tar archive. Names are raw: one char a byte (sys/raw-name.ts), free of NUL, otherwise as hostile as they come. */
export interface TarEntry {
  type: TarEntryType
  name: string
  /** Target of a symlink or hard link, else "". */
  linkName: string
  /** Permission bits, set-id bits included. */
  mode: number
  uid: number
  gid: number
  /** Of a file, its holes counted. */
  sizeBytes: number
  mtime: Time
  /** Where the archive tells them. */
  accessTime?: Time
  changeTime?: Time
  device: { major: number; minor: number }
  /** Extended attributes, values as the bytes they are. */
  attributes: ReadonlyMap<string, Uint8Array>
  /** Whether holes are to be left between the pieces of data. */
  isSparse: boolean
}

/** Receives what an archive holds, in its order: `entry`, then for a file `data` for each piece, then `end`. */
export interface TarSink {
  entry(entry: TarEntry): void
  /** `offset`: where in the file the piece belongs. The bytes are the reader's: copy what is kept. */
  data(bytes: Uint8Array, offset: number): void
  end(): void
  /** All bytes of the archive that `data` is not told, as they are: headers, padding, what follows the end. */
  raw?(bytes: Uint8Array): void
}

/** What is read of an archive at most: each is far above what honest archives have. */
export interface TarLimits {
  /** PATH_MAX: longer names cannot be made. */
  nameBytes: number
  /** Of one pax header. */
  headerBytes: number
  /** XATTR_SIZE_MAX. */
  attributeBytes: number
  /** Parts of a sparse file. */
  sparseParts: number
}

/** The limits where none are given. */
export const TAR_LIMITS: TarLimits = {
  nameBytes: 4096,
  headerBytes: 1 << 20,
  attributeBytes: 65_536,
  sparseParts: 65_536,
}

/** All of a tar lies in blocks of this size. */
export const BLOCK_BYTES = 512
