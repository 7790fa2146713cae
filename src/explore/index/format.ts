/**
 * The index of one layer, a file: a head, then a record of fixed size for each name, then names and what few records have besides.
 *
 * Records lie breadth first, the root first: those of one directory stand together, in the order of their names' bytes. A record says where
 * the records of its directory are, and what all below it sum up to. So a directory is one read, a name in it a binary search, and the
 * size of a tree no walk. Little endian.
 */
export const MAGIC = "skiff-explore 1\n"
export const HEAD_BYTES = 64
export const RECORD_BYTES = 120
/** An image with more in one layer is none that somebody made to be used: a record costs 120 bytes, and twice that while it is made. */
export const MAX_ENTRIES = 5_000_000

/** Where the parts of the head are. */
export const HEAD = { records: 16, stringsBytes: 24, sizeBytes: 32, entries: 40, whiteouts: 48 } as const

/** Where the parts of a record are. */
export const AT = {
  nameOffset: 0, // 32 bits, as all that is not said
  nameBytes: 4, // 16 bits
  type: 6, // 8 bits
  flags: 7, // 8 bits
  mode: 8, // 16 bits
  extraBytes: 10, // 16 bits, in units of 8
  uid: 12,
  gid: 16,
  childStart: 20,
  childCount: 24,
  extraOffset: 28,
  parent: 32,
  belowCount: 36, // entries below
  sizeBytes: 40, // float
  belowBytes: 48, // float: its own and all sizes below
  leafBytes: 56, // float: those of names with none below
  dataOffset: 64, // float: of its data in the layer's archive; -1: none that lies in one piece
  mtime: 72, // float
  digest: 80, // 32 bytes
} as const

/** What of a record is yes or no. */
export const FLAG = {
  whiteout: 1,
  opaque: 2,
  implied: 4,
  sparse: 8,
  absolute: 16,
  digest: 32,
  /** Below it, or it itself, is a whiteout or an opaque directory. */
  hides: 64,
} as const

/** By their codes in records. */
export const TYPES = ["file", "directory", "symlink", "hardlink", "fifo", "character", "block"] as const

/** What few entries have, as JSON of one char a byte. */
export interface Extra {
  link?: string
  device?: { major: number; minor: number }
  attributes?: Record<string, string>
}
