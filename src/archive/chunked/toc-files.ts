import { DataLoss } from "../../base/errors.ts"
import { isDigest, type Digest } from "../../spec/digest.ts"
import { TAR_LIMITS, type TarEntry, type TarEntryType } from "../tar-entry.ts"

/** A file as a table of contents has it: a stranger's word. */
export interface ListedFile {
  entry: TarEntry
  /** Of a regular file's whole content, where the table gives it. */
  digest?: Digest
}

const TYPES: ReadonlyMap<string, TarEntryType> = new Map([
  ["reg", "file"],
  ["hardlink", "hardlink"],
  ["symlink", "symlink"],
  ["char", "character"],
  ["block", "block"],
  ["dir", "directory"],
  ["fifo", "fifo"],
])

/** All files of a table, in its order. Throws DataLoss for what no table has. */
export function listToc(json: Uint8Array): ListedFile[] {
  let document: unknown
  try {
    document = JSON.parse(Buffer.from(json.buffer, json.byteOffset, json.byteLength).toString())
  } catch (cause) {
    throw damaged("is not JSON", cause)
  }
  const entries = isRecord(document) ? document.entries : undefined
  if (!Array.isArray(entries)) throw damaged("has no entries")
  const files: ListedFile[] = []
  for (const entry of entries as unknown[]) {
    if (!isRecord(entry)) throw damaged("has an entry that is none")
    // the further pieces of the file before it
    if (entry.type === "chunk") continue
    const type = TYPES.get(String(entry.type))
    if (type === undefined) throw damaged("has an entry of an unknown type")
    files.push(fileOf(type, entry))
  }
  return files
}

function fileOf(type: TarEntryType, entry: Record<string, unknown>): ListedFile {
  const { digest, modtime, xattrs } = entry
  const number = (key: string) => {
    const value = entry[key] ?? 0
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw damaged(`has a wrong "${key}"`)
    return value
  }
  const name = rawOf(entry.name)
  if (name === "") throw damaged("has an entry without a name")
  const milliseconds = typeof modtime === "string" ? Date.parse(modtime) : 0
  return {
    entry: {
      type,
      name,
      linkName: rawOf(entry.linkName ?? ""),
      mode: number("mode") & 0o7777,
      uid: number("uid"),
      gid: number("gid"),
      sizeBytes: type === "file" ? number("size") : 0,
      mtime: { seconds: BigInt(Math.floor((milliseconds || 0) / 1000)), nanoseconds: 0 },
      device: { major: number("devMajor"), minor: number("devMinor") },
      attributes: attributesOf(xattrs),
      isSparse: false,
    },
    ...(type === "file" && isDigest(digest) ? { digest } : {}),
  }
}

function attributesOf(xattrs: unknown): ReadonlyMap<string, Uint8Array> {
  const found = new Map<string, Uint8Array>()
  if (!isRecord(xattrs)) return found
  for (const [name, value] of Object.entries(xattrs))
    if (typeof value === "string" && value.length <= TAR_LIMITS.attributeBytes * 2)
      found.set(name, Buffer.from(value, "base64"))
  return found
}

/** As archives have names: one char a byte. */
function rawOf(text: unknown): string {
  if (typeof text !== "string" || text.includes("\0")) throw damaged("has a name that is none")
  const bytes = Buffer.from(text)
  if (bytes.length > TAR_LIMITS.nameBytes) throw damaged(`has a name of ${bytes.length} bytes`)
  return bytes.toString("latin1")
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

function damaged(what: string, cause?: unknown): DataLoss {
  return new DataLoss(`the layer's table of contents ${what}`, { cause })
}
