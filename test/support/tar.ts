/** Writes tar archives entry by entry, also those that no honest tool would write. */
export interface TarEntry {
  name: string
  type?: "file" | "directory" | "symlink" | "hardlink" | "character" | "fifo"
  content?: string | Uint8Array
  linkName?: string
  mode?: number
  uid?: number
  gid?: number
  mtime?: number
  device?: { major: number; minor: number }
  /** pax records before the entry, such as `SCHILY.xattr.user.x`. */
  pax?: Record<string, string>
  /** Another size in the header than the content has. */
  claimedSize?: number
}

const TYPE_FLAG = { file: "0", hardlink: "1", symlink: "2", character: "3", directory: "5", fifo: "6" }
const BLOCK = 512

export function tar(entries: readonly TarEntry[]): Uint8Array {
  const parts = entries.flatMap((entry) => [...paxHeader(entry), ...member(entry)])
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)])
}

function member(entry: TarEntry, typeFlag?: string): Uint8Array[] {
  const content = Buffer.from(entry.content ?? "")
  const type = entry.type ?? "file"
  const header = Buffer.alloc(BLOCK)
  const octal = (value: number, offset: number, width: number) =>
    header.write(`${value.toString(8).padStart(width - 1, "0")}\0`, offset, "latin1")
  header.write(entry.name, 0, 100)
  octal(entry.mode ?? (type === "directory" ? 0o755 : 0o644), 100, 8)
  octal(entry.uid ?? 0, 108, 8)
  octal(entry.gid ?? 0, 116, 8)
  octal(entry.claimedSize ?? content.length, 124, 12)
  octal(entry.mtime ?? 1_700_000_000, 136, 12)
  header.write(typeFlag ?? TYPE_FLAG[type], 156)
  header.write(entry.linkName ?? "", 157, 100)
  header.write("ustar\u000000", 257, "latin1")
  octal(entry.device?.major ?? 0, 329, 8)
  octal(entry.device?.minor ?? 0, 337, 8)
  header.fill(" ", 148, 156)
  octal(
    header.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  )
  return [header, content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)]
}

function paxHeader(entry: TarEntry): Uint8Array[] {
  const records = Object.entries(entry.pax ?? {})
  if (records.length === 0) return []
  const content = records.map(([key, value]) => paxRecord(`${key}=${value}\n`)).join("")
  return member({ name: "PaxHeader", content }, "x")
}

/** POSIX pax: the length counts itself. */
function paxRecord(text: string): string {
  const bytes = Buffer.byteLength(text) + 1
  let length = bytes + String(bytes).length
  if (String(length).length > String(bytes).length) length = bytes + String(length).length
  return `${length} ${text}`
}
