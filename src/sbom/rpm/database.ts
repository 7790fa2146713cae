import type { FileTree } from "../file-tree.ts"
import { MAX_PACKAGES } from "../stanza.ts"
import { BlockFile, type FileBytes } from "./file-bytes.ts"
import { berkeleyBlobs, isBerkeleyHash } from "./berkeley.ts"
import { RpmHeader } from "./header.ts"
import { isNdb, ndbBlobs } from "./ndb.ts"
import { isSqlite, sqliteRows } from "./sqlite.ts"

/** One of them may be a link to the other. */
const DIRECTORIES = ["var/lib/rpm", "usr/lib/sysimage/rpm"]
/** Its forms, from the newest: who has changed from one to another leaves the old file behind. */
const FILES = ["rpmdb.sqlite", "Packages.db", "Packages"]
/** A whole distribution installed makes 200 MB. */
const MAX_DATABASE_BYTES = 512 * 1024 ** 2
/** Rows that are no packages cost time as well. */
const MAX_ROWS = 2 * MAX_PACKAGES

/** The database of a tree, and what of it could not be read. */
export interface RpmDatabase {
  /** Relative to the root. */
  path: string
  /** Sentences' ends: `all but the first 3 rows of /var/lib/rpm/rpmdb.sqlite`; whole when `headers` has ended. */
  leftOut: string[]
  headers: Iterable<RpmHeader>
}

/** rpm's database in a tree, in whichever form it is; undefined: there is none. */
export function findRpmDatabase(tree: FileTree): RpmDatabase | undefined {
  for (const directory of DIRECTORIES) {
    const names = new Set(tree.names(directory))
    const paths = FILES.filter((name) => names.has(name)).map((name) => `${directory}/${name}`)
    for (const path of paths) {
      const file = tree.open(path, MAX_DATABASE_BYTES)
      const found = file && openRpmDatabase(new BlockFile(file), path)
      if (found !== undefined) return found
    }
    const [path] = paths
    if (path !== undefined) return { path, leftOut: [`the rpm database in /${directory}`], headers: [] }
  }
  return undefined
}

/** The bytes of a database; undefined when they are of no form that rpm has. */
export function openRpmDatabase(bytes: FileBytes, path: string): RpmDatabase | undefined {
  const blobs = blobsOf(bytes)
  if (blobs === undefined) return undefined
  const leftOut: string[] = []
  return { path, leftOut, headers: headers() }

  function* headers(): Generator<RpmHeader> {
    // rows may share their bytes, so that a small file has any number of them: no database is smaller than what is in it
    let [rows, leftBytes, damaged] = [0, bytes.length, 0]
    for (const blob of blobs ?? []) {
      leftBytes -= blob?.length ?? 0
      if (rows >= MAX_ROWS || leftBytes < 0) {
        leftOut.push(`all but the first ${rows} rows of /${path}`)
        break
      }
      rows++
      if (blob === undefined) damaged++
      else yield new RpmHeader(blob)
    }
    if (damaged > 0) leftOut.push(`${damaged} rows of /${path}, which are damaged`)
  }
}

function blobsOf(bytes: FileBytes): Iterable<Buffer | undefined> | undefined {
  if (isSqlite(bytes)) return sqliteBlobs(bytes)
  if (isNdb(bytes)) return ndbBlobs(bytes)
  return isBerkeleyHash(bytes) ? berkeleyBlobs(bytes) : undefined
}

function* sqliteBlobs(bytes: FileBytes): Generator<Buffer | undefined> {
  for (const [, blob] of sqliteRows(bytes, "Packages")) yield Buffer.isBuffer(blob) ? blob : undefined
}
