import { rawText } from "./raw-text.ts"
import type { TarEntry, TarEntryType } from "../tar-entry.ts"
import type { Time } from "../../sys/fs/attributes.ts"

/**
 * One line of a table of contents, in JSON (eStargz specification#toc-tocentries-and-footer; containers/storage
 * pkg/chunked/internal/minimal, which adds `endOffset` and `chunkType`). A file of several chunks has a line for each: the first is the
 * file's own, the others are of type `chunk`.
 */
export interface TocEntry {
  type: "reg" | "chunk" | "hardlink" | "char" | "block" | "dir" | "fifo" | "symlink"
  name: string
  linkName?: string
  mode?: number
  size?: number
  uid?: number
  gid?: number
  modtime?: string
  accesstime?: string
  changetime?: string
  devMajor?: number
  devMinor?: number
  /** Values in base64. */
  xattrs?: Record<string, string>
  /** Of the whole content. */
  digest?: string
  /** Where its compressed bytes begin in the blob. */
  offset?: number
  /** Where those of the last chunk end. */
  endOffset?: number
  chunkSize?: number
  chunkOffset?: number
  chunkDigest?: string
  /** `zeros`: nothing else is in it. */
  chunkType?: string
}

/** A piece of a file that is compressed alone. */
export interface WrittenChunk {
  /** In the file. */
  chunkOffset: number
  size: number
  digest: string
  /** In the blob. */
  start: number
  end: number
}

const TYPES: Record<TarEntryType, TocEntry["type"]> = {
  file: "reg",
  hardlink: "hardlink",
  symlink: "symlink",
  character: "char",
  block: "block",
  directory: "dir",
  fifo: "fifo",
}

/** What the table says of an entry besides its chunks. Empty values are left out, as Go's encoder does. */
export function tocEntryOf(entry: TarEntry): TocEntry {
  const { type, mode, uid, gid, device, sizeBytes: size } = entry
  const isDevice = type === "character" || type === "block"
  const xattrs = Object.fromEntries(
    [...entry.attributes].map(([key, value]) => [key, Buffer.from(value).toString("base64")]),
  )
  return {
    type: TYPES[type],
    name: rawText(entry.name),
    ...(entry.linkName === "" ? {} : { linkName: rawText(entry.linkName) }),
    ...unlessZero({ mode, size, uid, gid }),
    ...(isDevice ? unlessZero({ devMajor: device.major, devMinor: device.minor }) : {}),
    ...(entry.attributes.size === 0 ? {} : { xattrs }),
  }
}

function unlessZero<K extends string>(values: Record<K, number>): Partial<Record<K, number>> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== 0)) as Partial<Record<K, number>>
}

/** RFC 3339, in UTC, with as many digits as it needs (Go's RFC3339Nano). */
export function timeText({ seconds, nanoseconds }: Time): string {
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, -".000Z".length)
  const part = nanoseconds === 0 ? "" : `.${String(nanoseconds).padStart(9, "0").replace(/0+$/, "")}`
  return `${whole}${part}Z`
}
