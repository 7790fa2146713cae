/** CRIU's figures of a dump or a restore: `stats-dump`, `stats-restore` (criu.org/Images; images/stats.proto). */
import { readFileSync } from "node:fs"
import type { CriuStats } from "../runtime.ts"

const MAGICS = [0x55105940, 0x57093306] // IMG_SERVICE, STATS
const FIELDS = {
  dump: [
    "freezing_time",
    "frozen_time",
    "memdump_time",
    "memwrite_time",
    "pages_scanned",
    "pages_skipped_parent",
    "pages_written",
    "irmap_resolve",
    "pages_lazy",
    "page_pipes",
    "page_pipe_bufs",
    "shpages_scanned",
    "shpages_skipped_parent",
    "shpages_written",
  ],
  restore: ["pages_compared", "pages_skipped_cow", "forking_time", "restore_time", "pages_restored"],
} as const

/** None where the file is not there, or is none of CRIU's. */
export function readStats(path: string, kind: keyof typeof FIELDS): CriuStats {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch {
    return {}
  }
  if (bytes.length < 12 || bytes.readUInt32LE(0) !== MAGICS[0] || bytes.readUInt32LE(4) !== MAGICS[1]) return {}
  const entry = messages(bytes.subarray(12, 12 + bytes.readUInt32LE(8)))
  const inner = entry.get(kind === "dump" ? 1 : 2)
  if (!(inner instanceof Uint8Array)) return {}
  const numbers = messages(Buffer.from(inner))
  return Object.fromEntries(
    FIELDS[kind].flatMap((name, index) => {
      const value = numbers.get(index + 1)
      return typeof value === "number" ? [[name, value]] : []
    }),
  )
}

/** Fields of one protobuf message: numbers, and messages as bytes. What is cut short is left out. */
function messages(bytes: Buffer): Map<number, number | Uint8Array> {
  const fields = new Map<number, number | Uint8Array>()
  for (let at = 0; at < bytes.length;) {
    const key = varint(bytes, at)
    const value = varint(bytes, key.next)
    if ((key.value & 7) === 0) fields.set(Math.floor(key.value / 8), value.value)
    else if ((key.value & 7) === 2)
      fields.set(Math.floor(key.value / 8), bytes.subarray(value.next, value.next + value.value))
    else return fields
    at = (key.value & 7) === 2 ? value.next + value.value : value.next
  }
  return fields
}

function varint(bytes: Buffer, start: number): { value: number; next: number } {
  let value = 0
  let factor = 1
  for (let at = start; at < bytes.length; at++, factor *= 128) {
    const byte = bytes[at] ?? 0
    value += (byte & 0x7f) * factor
    if (byte < 0x80) return { value, next: at + 1 }
  }
  return { value, next: bytes.length }
}
