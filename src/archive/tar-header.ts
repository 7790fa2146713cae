/** The 512-byte header block: POSIX ustar (pax(1), "ustar Interchange Format") and GNU's variant. */
import { DataLoss } from "../base/errors.ts"

/** The fields of a header block, as they stand there. */
export interface TarHeader {
  /** The raw type flag. */
  flag: string
  name: string
  linkName: string
  mode: number
  uid: number
  gid: number
  sizeBytes: number
  mtimeSeconds: number
  major: number
  minor: number
  block: Buffer
}

/** Decodes one block. Throws DataLoss when its checksum or a number is wrong. */
export function decodeHeader(block: Buffer): TarHeader {
  checkSum(block)
  const isPosix = block.toString("latin1", 257, 263) === "ustar\0"
  // GNU's header ("ustar  ") keeps other things where POSIX has the prefix
  const prefix = isPosix ? text(block, 345, 155) : ""
  const name = text(block, 0, 100)
  return {
    flag: String.fromCharCode(block[156] ?? 0),
    name: prefix === "" ? name : `${prefix}/${name}`,
    linkName: text(block, 157, 100),
    mode: number(block, 100, 8, "mode"),
    uid: number(block, 108, 8, "uid"),
    gid: number(block, 116, 8, "gid"),
    sizeBytes: size(block, 124, "size"),
    mtimeSeconds: number(block, 136, 12, "mtime"),
    major: number(block, 329, 8, "major"),
    minor: number(block, 337, 8, "minor"),
    block,
  }
}

/** Whether it is an end block: two of them end an archive. */
export function isZeroBlock(block: Buffer): boolean {
  // a header's first byte is that of its name; only an end block is all zero
  return block[0] === 0 && block.every((byte) => byte === 0)
}

/** Bytes up to the first NUL, raw. */
function text(block: Buffer, start: number, length: number): string {
  const end = block.indexOf(0, start)
  return block.toString("latin1", start, end < 0 || end > start + length ? start + length : end)
}

/** A size: a number that cannot be negative. */
export function size(block: Buffer, start: number, what: string): number {
  const value = number(block, start, 12, what)
  if (value < 0) throw new DataLoss(`broken tar header: its ${what} is negative`)
  return value
}

/** Octal digits, or base 256 where the first bit is set (GNU). Throws DataLoss beyond 2^53. */
function number(block: Buffer, start: number, length: number, what: string): number {
  const first = block[start] ?? 0
  return first & 0x80 ? base256(block, start, length, what) : octal(block, start, length, what)
}

function octal(block: Buffer, start: number, length: number, what: string): number {
  let value = 0
  let at = start
  const end = start + length
  while (at < end && block[at] === SPACE) at++
  for (; at < end; at++) {
    const byte = block[at] ?? 0
    if (byte === 0 || byte === SPACE) break
    if (byte < ZERO || byte > SEVEN) throw new DataLoss(`broken tar header: its ${what} is not an octal number`)
    value = value * 8 + (byte - ZERO)
  }
  return value
}

function base256(block: Buffer, start: number, length: number, what: string): number {
  const isNegative = ((block[start] ?? 0) & 0x40) !== 0
  // two's complement over all bits but the marker
  let value = BigInt((block[start] ?? 0) & 0x7f)
  for (let at = start + 1; at < start + length; at++) value = (value << 8n) | BigInt(block[at] ?? 0)
  if (isNegative) value -= 1n << BigInt(length * 8 - 1)
  const result = Number(value)
  if (!Number.isSafeInteger(result)) throw new DataLoss(`broken tar header: its ${what} is out of range`)
  return result
}

function checkSum(block: Buffer): void {
  let unsigned = 0
  let signed = 0
  for (let at = 0; at < block.length; at++) {
    // the field itself counts as spaces
    const byte = at >= 148 && at < 156 ? SPACE : (block[at] ?? 0)
    unsigned += byte
    signed += byte > 127 ? byte - 256 : byte
  }
  const expected = octal(block, 148, 8, "checksum")
  if (expected !== unsigned && expected !== signed)
    throw new DataLoss("broken tar header: its checksum is wrong", { hint: "the archive is damaged, or is not a tar" })
}

const SPACE = 0x20
const ZERO = 0x30
const SEVEN = 0x37
