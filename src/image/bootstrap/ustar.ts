import { InvalidArgument } from "../../base/errors.ts"

/** An entry of a base image's root file system; it belongs to root. */
export type RootEntry =
  | { type: "directory"; path: string; mode?: number }
  | { type: "file"; path: string; content: Uint8Array; mode?: number }
  | { type: "link"; path: string; target: string }

const BLOCK = 512
const TYPE_FLAG = { file: "0", link: "2", directory: "5" } as const
const DEFAULT_MODE = { file: 0o644, link: 0o777, directory: 0o755 } as const

/** A tar of these entries in their order (POSIX ustar); the same entries and time give the same bytes. */
export function* ustar(entries: Iterable<RootEntry>, timeSeconds: number): Generator<Uint8Array> {
  for (const entry of entries) {
    yield header(entry, timeSeconds)
    if (entry.type !== "file") continue
    yield entry.content
    yield new Uint8Array(-entry.content.length & (BLOCK - 1))
  }
  yield new Uint8Array(2 * BLOCK)
}

function header(entry: RootEntry, timeSeconds: number): Uint8Array {
  const block = Buffer.alloc(BLOCK)
  const text = (offset: number, length: number, value: string) => {
    const bytes = Buffer.from(value)
    // nothing here is that long, and a cut name would be another file
    if (bytes.length > length) throw new InvalidArgument(`"${value}" is too long for a ustar header`)
    bytes.copy(block, offset)
  }
  const octal = (offset: number, length: number, value: number) =>
    text(offset, length - 1, value.toString(8).padStart(length - 1, "0"))
  text(0, 100, entry.type === "directory" ? `${entry.path}/` : entry.path)
  octal(100, 8, ("mode" in entry ? entry.mode : undefined) ?? DEFAULT_MODE[entry.type])
  octal(108, 8, 0) // uid
  octal(116, 8, 0) // gid
  octal(124, 12, entry.type === "file" ? entry.content.length : 0)
  octal(136, 12, timeSeconds)
  text(148, 8, " ".repeat(8)) // the checksum counts its own field as spaces
  text(156, 1, TYPE_FLAG[entry.type])
  if (entry.type === "link") text(157, 100, entry.target)
  text(257, 8, "ustar\u000000")
  octal(
    148,
    7,
    block.reduce((sum, byte) => sum + byte, 0),
  )
  return block
}
