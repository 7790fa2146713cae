/** Archives for tests: made by our writer, or by hand where no writer would. */
import type { TarEntry } from "../tar-entry.ts"
import { TarReader } from "../tar-reader.ts"
import { encodeTarHeader, TAR_END_BYTES, tarPadding, type NewTarEntry } from "../tar-writer.ts"

/** `content` is raw text; `sizeBytes` alone tells a size that the data does not have. */
export type TestEntry = NewTarEntry & { content?: string }

/** An archive of these entries, with its end blocks. */
export function archiveOf(entries: readonly TestEntry[]): Buffer {
  const parts = entries.flatMap(({ content = "", ...entry }) => {
    const bytes = Buffer.from(content, "latin1")
    return [encodeTarHeader({ sizeBytes: bytes.length, ...entry }), bytes, tarPadding(bytes.length)]
  })
  return Buffer.concat([...parts, Buffer.alloc(TAR_END_BYTES)])
}

/** One header block with fields put in as they are, and a right checksum. */
export function rawHeader(fields: Record<number, string>, entry: NewTarEntry = { name: "f" }): Buffer {
  const block = encodeTarHeader(entry)
  for (const [start, text] of Object.entries(fields)) block.write(text, Number(start), "latin1")
  block.write("        ", 148, "latin1")
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1")
  return block
}

/** A pax header with these records as they are, to go before the next header. */
export function paxHeader(body: string): Buffer {
  const bytes = Buffer.from(body, "latin1")
  const header = rawHeader({ 156: "x" }, { name: "pax", sizeBytes: bytes.length })
  return Buffer.concat([header, bytes, tarPadding(bytes.length)])
}

/** One record, its length put before it. */
export function paxRecord(key: string, value: string): string {
  const rest = key.length + value.length + 3
  const length = [1, 2, 3, 4, 5, 6, 7].find((digits) => String(rest + digits).length === digits) ?? 0
  return `${rest + length} ${key}=${value}\n`
}

/** An entry as it was read back. */
export interface ReadEntry {
  entry: TarEntry
  /** Holes as NUL bytes. */
  content: string
}

/** Reads a whole archive, fed in pieces. */
export function readAll(archive: Uint8Array, pieceBytes = archive.length): ReadEntry[] {
  const entries: (ReadEntry & { bytes: Buffer })[] = []
  const reader = new TarReader({
    entry: (entry) =>
      void entries.push({ entry, content: "", bytes: Buffer.alloc(Math.min(entry.sizeBytes, 1 << 22)) }),
    data: (bytes, offset) => void entries.at(-1)?.bytes.set(bytes, offset),
    end() {},
  })
  for (let at = 0; at < archive.length; at += pieceBytes) reader.write(archive.subarray(at, at + pieceBytes))
  reader.finish()
  return entries.map(({ entry, bytes }) => ({ entry, content: bytes.toString("latin1") }))
}

/** A stream of these bytes, as a download gives it. */
export async function* stream(bytes: Uint8Array, pieceBytes = 65_536): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}
