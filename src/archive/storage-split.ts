/**
 * The tar-split of containers/storage and of docker (github.com/vbatts/tar-split, tar/storage): lines of JSON, compressed by gzip.
 * Type 1 is a file, whose content stands in the layer's tree; type 2 is bytes of the archive as they are, in base64.
 */
import { createReadStream } from "node:fs"
import type { Bytes } from "../base/bytes.ts"
import { DataLoss } from "../base/errors.ts"
import { decompress } from "./compression.ts"
import { joinRecords, type JoinOptions, type SplitRecord } from "./tar-split.ts"

const FILE = 1
const SEGMENT = 2
const NEWLINE = 0x0a
/** Of one line: headers of one entry with their padding, and pax records of a mebibyte besides. */
const MAX_LINE_BYTES = 16 * 1024 ** 2

/** The archive again, as `joinTarSplit` gives it. Throws DataLoss. */
export async function* joinStorageSplit(path: string, root: string, options: JoinOptions = {}): Bytes {
  yield* joinRecords(recordsOf(path), root, options)
}

/** How many bytes the archive has. Throws DataLoss. */
export async function storageSplitBytes(path: string): Promise<number> {
  let bytes = 0
  for await (const record of recordsOf(path)) bytes += record.kind === "raw" ? record.bytes.length : record.sizeBytes
  return bytes
}

async function* recordsOf(path: string): AsyncGenerator<SplitRecord> {
  yield* splitRecords(decompress(createReadStream(path)), path)
}

/** The pieces that uncompressed lines tell; `path` is what they are called. Throws DataLoss. */
export async function* splitRecords(lines: Bytes, path: string): AsyncGenerator<SplitRecord> {
  for await (const line of linesOf(lines, path)) {
    const record = parseRecord(line, path)
    if (record !== undefined) yield record
  }
}

/** Undefined for a file without content: its header stands in the bytes before it. */
function parseRecord(line: Uint8Array, path: string): SplitRecord | undefined {
  let entry: Record<string, unknown>
  try {
    entry = JSON.parse(Buffer.from(line).toString()) as Record<string, unknown>
  } catch (cause) {
    throw new DataLoss(`"${path}" has a line that is not JSON`, { cause })
  }
  const { type, payload, size = 0, name, name_raw: raw } = entry
  if (type === SEGMENT && typeof payload === "string") return { kind: "raw", bytes: Buffer.from(payload, "base64") }
  // a name that is no UTF-8 is in base64 (tar-split's Entry.NameRaw)
  const own = typeof raw === "string" ? Buffer.from(raw, "base64") : Buffer.from(typeof name === "string" ? name : "")
  if (type !== FILE || own.length === 0 || !Number.isSafeInteger(size) || Number(size) < 0)
    throw new DataLoss(`"${path}" has a line that is no entry of a tar-split`)
  return size === 0 ? undefined : { kind: "file", path: own.toString("latin1"), sizeBytes: Number(size) }
}

async function* linesOf(bytes: Bytes, path: string): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] = []
  let heldBytes = 0
  for await (const chunk of bytes) {
    let from = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      const line = chunk.subarray(from, end)
      if (heldBytes + line.length > 0) yield held.length === 0 ? line : Buffer.concat([...held, line])
      ;[held, heldBytes] = [[], 0]
      from = end + 1
    }
    if (from === chunk.length) continue
    held.push(new Uint8Array(chunk.subarray(from)))
    heldBytes += chunk.length - from
    if (heldBytes > MAX_LINE_BYTES) throw new DataLoss(`"${path}" has a line of more than ${MAX_LINE_BYTES} bytes`)
  }
  if (heldBytes > 0) yield Buffer.concat(held)
}
