import type { Package } from "./package.ts"
import { sqliteRows } from "./sqlite-table.ts"
import { MAX_PACKAGES, MAX_VALUE, present } from "./stanza.ts"

/** rpmtag.h */
const TAGS = {
  name: 1000,
  version: 1001,
  release: 1002,
  epoch: 1003,
  vendor: 1011,
  license: 1014,
  url: 1020,
  arch: 1022,
  source: 1044,
}
/** rpmtag.h, rpmTagType. */
const TYPES = { int32: 4, string: 6, i18nString: 9 }
/** A real header has a hundred. */
const MAX_ENTRIES = 1024
/** Rows that are no packages cost time as well. */
const MAX_ROWS = 2 * MAX_PACKAGES

/** The packages of rpm's database, in the form it has had since 4.16: a header a row (rpm docs, manual/hregions). */
export function parseRpmDatabase(file: Buffer, foundIn: string): Package[] {
  const packages: Package[] = []
  let rows = 0
  for (const [, blob] of sqliteRows(file, "Packages")) {
    if (++rows > MAX_ROWS || packages.length >= MAX_PACKAGES) break
    const found = Buffer.isBuffer(blob) ? packageOf(new RpmHeader(blob), foundIn) : undefined
    if (found) packages.push(found)
  }
  return packages
}

function packageOf(header: RpmHeader, foundIn: string): Package | undefined {
  const [name, version, release] = [header.text(TAGS.name), header.text(TAGS.version), header.text(TAGS.release)]
  // the keys that packages are signed by are kept as packages, too
  if (!name || !version || name === "gpg-pubkey") return undefined
  const epoch = header.number(TAGS.epoch)
  const details = {
    architecture: header.text(TAGS.arch),
    license: header.text(TAGS.license),
    supplier: header.text(TAGS.vendor),
    homepage: header.text(TAGS.url),
    source: header.text(TAGS.source),
    epoch: epoch === undefined ? undefined : String(epoch),
  }
  return { type: "rpm", name, version: release ? `${version}-${release}` : version, ...present(details), foundIn }
}

/** Counts of entries and bytes, the entries (tag, type, offset, count), the bytes. */
class RpmHeader {
  readonly #entries = new Map<number, { type: number; at: number }>()
  readonly #data: Buffer

  constructor(blob: Buffer) {
    const count = blob.length < 8 ? 0 : blob.readUInt32BE(0)
    const start = 8 + count * 16
    this.#data = blob.subarray(start)
    if (count > MAX_ENTRIES || start > blob.length) return
    for (let at = 8; at < start; at += 16)
      this.#entries.set(blob.readUInt32BE(at), { type: blob.readUInt32BE(at + 4), at: blob.readUInt32BE(at + 8) })
  }

  text(tag: number): string | undefined {
    const entry = this.#entries.get(tag)
    if (entry === undefined || (entry.type !== TYPES.string && entry.type !== TYPES.i18nString)) return undefined
    const end = this.#data.indexOf(0, entry.at)
    return end < 0 || entry.at > this.#data.length
      ? undefined
      : this.#data.toString("utf8", entry.at, Math.min(end, entry.at + MAX_VALUE))
  }

  number(tag: number): number | undefined {
    const entry = this.#entries.get(tag)
    return entry?.type === TYPES.int32 && entry.at + 4 <= this.#data.length
      ? this.#data.readUInt32BE(entry.at)
      : undefined
  }
}
