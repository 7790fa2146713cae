/**
 * A tar writer: ustar headers, and a pax header before those that do not fit (POSIX 2001, pax(1)).
 *
 * The bytes are a function of the entries alone, so the same tree gives the same digest on every machine: no clock, no
 * names of users, records in the order of their keys.
 */
import { InvalidArgument } from "../base/errors.ts"
import type { Time } from "../sys/fs/attributes.ts"
import { shownName } from "../sys/fs/raw-name.ts"
import { BLOCK_BYTES, type TarEntry, type TarEntryType } from "./tar-entry.ts"

const FLAGS: Record<TarEntryType, string> = {
  file: "0",
  hardlink: "1",
  symlink: "2",
  character: "3",
  block: "4",
  directory: "5",
  fifo: "6",
}

/** An entry as far as it differs from an empty file of root's. */
export type NewTarEntry = Pick<TarEntry, "name"> &
  Partial<Omit<TarEntry, "isSparse">> & {
    /** More pax records, of ASCII: a file with holes says its size and its name by them (sparse-parts.ts). */
    records?: Readonly<Record<string, string>>
  }

/** The header blocks of `entry`; `sizeBytes` of data must follow, then `tarPadding`. Throws InvalidArgument on a NUL. */
export function encodeTarHeader(entry: NewTarEntry): Buffer {
  if (entry.name.includes("\0") || entry.linkName?.includes("\0"))
    throw new InvalidArgument(`the name ${shownName(entry.name)} cannot be put into an archive`)
  const records = paxRecords(entry)
  if (records.length === 0) return headerBlock(entry, FLAGS[entry.type ?? "file"])
  const body = Buffer.concat(records)
  const paxHeader = headerBlock({ name: "PaxHeaders/entry", mode: 0o644, sizeBytes: body.length }, "x")
  return Buffer.concat([paxHeader, body, tarPadding(body.length), headerBlock(entry, FLAGS[entry.type ?? "file"])])
}

/** What fills the last block of `sizeBytes` of data. */
export function tarPadding(sizeBytes: number): Buffer {
  return Buffer.alloc((BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES)
}

/** The two zero blocks at the end of an archive. */
export const TAR_END_BYTES = 2 * BLOCK_BYTES

const NAME_BYTES = 100
const MAX_SIZE = 8 ** 11 - 1
const MAX_ID = 8 ** 7 - 1
const ZERO_TIME: Time = { seconds: 0n, nanoseconds: 0 }

/** Records for what a ustar header cannot hold, ordered by key. */
function paxRecords(entry: NewTarEntry): Buffer[] {
  const values = new Map<string, Uint8Array>()
  const put = (key: string, text: string): unknown => values.set(key, Buffer.from(text, "latin1"))
  if (!fitsName(entry.name)) put("path", entry.name)
  if (!fitsName(entry.linkName ?? "")) put("linkpath", entry.linkName ?? "")
  if ((entry.sizeBytes ?? 0) > MAX_SIZE) put("size", String(entry.sizeBytes))
  if ((entry.uid ?? 0) > MAX_ID) put("uid", String(entry.uid))
  if ((entry.gid ?? 0) > MAX_ID) put("gid", String(entry.gid))
  const mtime = entry.mtime ?? ZERO_TIME
  if (!fitsTime(mtime)) put("mtime", formatPaxTime(mtime))
  for (const [key, text] of Object.entries(entry.records ?? {})) put(key, text)
  for (const [name, value] of entry.attributes ?? []) values.set(`SCHILY.xattr.${name}`, value)
  return [...values]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => paxRecord(Buffer.from(key, "latin1"), value))
}

/** `LENGTH KEY=VALUE\n`, where LENGTH counts itself. */
function paxRecord(key: Uint8Array, value: Uint8Array): Buffer {
  const rest = key.length + value.length + 3
  let length = rest + String(rest).length
  if (String(length).length > String(rest).length) length++
  return Buffer.concat([Buffer.from(`${length} `), key, Buffer.from("="), value, Buffer.from("\n")])
}

function fitsName(name: string): boolean {
  // pax(1): the header's own names are ASCII; others are UTF-8, said in a record
  // oxlint-disable-next-line no-control-regex
  return name.length <= NAME_BYTES && /^[\x01-\x7f]*$/.test(name)
}

function fitsTime({ seconds, nanoseconds }: Time): boolean {
  return nanoseconds === 0 && seconds >= 0n && seconds <= BigInt(MAX_SIZE)
}

function formatPaxTime({ seconds, nanoseconds }: Time): string {
  // before 1970 nanoseconds still count forwards: -1 s + 0.25 s is written -0.75
  const isNegative = seconds < 0n
  const whole = isNegative && nanoseconds > 0 ? -seconds - 1n : isNegative ? -seconds : seconds
  const part = isNegative && nanoseconds > 0 ? 1_000_000_000 - nanoseconds : nanoseconds
  const fraction = part === 0 ? "" : `.${String(part).padStart(9, "0").replace(/0+$/, "")}`
  return `${isNegative ? "-" : ""}${whole}${fraction}`
}

function headerBlock(entry: NewTarEntry, flag: string): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES)
  const mtime = entry.mtime ?? ZERO_TIME
  block.write(entry.name.slice(0, NAME_BYTES), 0, "latin1")
  putOctal(block, 100, 8, entry.mode ?? 0o644)
  putOctal(block, 108, 8, clamp(entry.uid ?? 0, MAX_ID))
  putOctal(block, 116, 8, clamp(entry.gid ?? 0, MAX_ID))
  putOctal(block, 124, 12, clamp(entry.sizeBytes ?? 0, MAX_SIZE))
  putOctal(block, 136, 12, fitsTime({ ...mtime, nanoseconds: 0 }) ? Number(mtime.seconds) : 0)
  block.write("        ", 148, "latin1")
  block.write(flag, 156, "latin1")
  block.write((entry.linkName ?? "").slice(0, NAME_BYTES), 157, "latin1")
  block.write("ustar\x0000", 257, "latin1")
  putOctal(block, 329, 8, entry.device?.major ?? 0)
  putOctal(block, 337, 8, entry.device?.minor ?? 0)
  putOctal(block, 148, 7, sumOf(block))
  return block
}

/** A plain loop: a layer has a hundred thousand headers. */
function sumOf(block: Buffer): number {
  let sum = 0
  for (let at = 0; at < block.length; at++) sum += block[at] ?? 0
  return sum
}

function clamp(value: number, max: number): number {
  return value > max ? 0 : value
}

/** Digits, then a NUL in the field's last byte. */
function putOctal(block: Buffer, start: number, length: number, value: number): void {
  block.write(`${value.toString(8).padStart(length - 1, "0")}\0`, start, "latin1")
}
