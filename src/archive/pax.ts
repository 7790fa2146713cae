/** The extended header of POSIX 2001: `LENGTH KEY=VALUE\n` records (pax(1), "pax Extended Header"). */
import { DataLoss, InvalidArgument } from "../base/errors.ts"
import type { Time } from "../sys/fs/attributes.ts"
import type { TarLimits } from "./tar-entry.ts"

const XATTR = "SCHILY.xattr."

/** What an extended header says of the next entry. */
export interface PaxRecords {
  /** Raw values by key; the last of a key counts. */
  values: Map<string, string>
  attributes: Map<string, Uint8Array>
  /** Offsets and lengths of GNU sparse 0.0, whose keys repeat. */
  sparse: number[]
}

const SPACE = 0x20
const EQUALS = 0x3d
const NEWLINE = 0x0a

/** Parses the body of an `x` header. Throws DataLoss when it is malformed. */
export function parsePax(body: Buffer, limits: TarLimits): PaxRecords {
  const records: PaxRecords = { values: new Map(), attributes: new Map(), sparse: [] }
  for (let at = 0; at < body.length;) {
    const space = body.indexOf(SPACE, at)
    // ten digits: no record of ours is longer, and a hostile one must not make a number of a megabyte
    const digits = space < 0 || space - at > 10 ? "" : body.toString("latin1", at, space)
    const end = at + Number(/^[0-9]+$/.test(digits) ? digits : Number.NaN)
    const equals = body.indexOf(EQUALS, space)
    if (!(end > space && end <= body.length) || equals < 0 || equals >= end || body[end - 1] !== NEWLINE)
      throw new DataLoss("broken tar: a pax header has a malformed record")
    addRecord(records, body.toString("latin1", space + 1, equals), body.subarray(equals + 1, end - 1), limits)
    at = end
  }
  return records
}

function addRecord(records: PaxRecords, key: string, value: Buffer, limits: TarLimits): void {
  if (key.startsWith(XATTR)) return addAttribute(records, key.slice(XATTR.length), value, limits)
  const text = value.toString("latin1")
  if (text.includes("\0") && (key === "path" || key === "linkpath" || key === "GNU.sparse.name"))
    throw new InvalidArgument("a name in the archive has a NUL byte")
  if (key === "GNU.sparse.offset" || key === "GNU.sparse.numbytes") records.sparse.push(parseCount(text, key))
  records.values.set(key, text)
}

function addAttribute(records: PaxRecords, name: string, value: Buffer, limits: TarLimits): void {
  if (name === "" || name.length > 255 || name.includes("\0") || value.length > limits.attributeBytes)
    throw new InvalidArgument(`the archive has an extended attribute of ${value.length} bytes`, {
      hint: `names have up to 255 bytes, values up to ${limits.attributeBytes}`,
    })
  records.attributes.set(name, Buffer.from(value))
}

/** A decimal count. Throws DataLoss naming `key`. */
export function parseCount(text: string, key: string): number {
  const value = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(value)) throw new DataLoss(`broken tar: pax record ${key} is not a number`)
  return value
}

/** A time as `-12.345678901`: exact, where a float is up to 100 ns off. Throws DataLoss. */
export function parsePaxTime(text: string, key: string): Time {
  const [, sign, whole, fraction = ""] = /^(-?)([0-9]{1,18})(?:\.([0-9]*))?$/.exec(text) ?? []
  if (whole === undefined) throw new DataLoss(`broken tar: pax record ${key} is not a time`)
  const seconds = BigInt(whole)
  const nanoseconds = Number(fraction.slice(0, 9).padEnd(9, "0"))
  if (sign === "") return { seconds, nanoseconds }
  // nanoseconds count forwards also before 1970
  return nanoseconds === 0
    ? { seconds: -seconds, nanoseconds: 0 }
    : { seconds: -seconds - 1n, nanoseconds: 1_000_000_000 - nanoseconds }
}
