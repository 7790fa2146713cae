/** rpmtag.h */
export const RPM_TAGS = {
  name: 1000,
  version: 1001,
  release: 1002,
  epoch: 1003,
  vendor: 1011,
  license: 1014,
  url: 1020,
  arch: 1022,
  fileModes: 1030,
  fileDigests: 1035,
  fileFlags: 1037,
  source: 1044,
  provides: 1047,
  requires: 1049,
  dirIndexes: 1116,
  baseNames: 1117,
  dirNames: 1118,
  digestAlgorithm: 5011,
  module: 5096,
} as const

/** rpmtag.h, rpmTagType. */
const TYPES = { int16: 3, int32: 4, string: 6, stringArray: 8, i18nString: 9 }
const BYTES: Readonly<Record<number, 2 | 4>> = { [TYPES.int16]: 2, [TYPES.int32]: 4 }
/** A real header has a hundred. */
const MAX_ENTRIES = 1024
/** Of one entry: the largest packages have some ten thousand files. */
const MAX_VALUES = 100_000

interface Entry {
  type: number
  at: number
  count: number
}

/**
 * What rpm wrote down of one package: counts of entries and bytes, the entries (tag, type, offset, count), the bytes (rpm docs,
 * manual/hregions). What is damaged has no value.
 */
export class RpmHeader {
  readonly #entries = new Map<number, Entry>()
  readonly #data: Buffer

  constructor(blob: Buffer) {
    const entries = blob.length < 8 ? 0 : blob.readUInt32BE(0)
    const start = 8 + entries * 16
    this.#data = blob.subarray(Math.min(start, blob.length))
    if (entries > MAX_ENTRIES || start > blob.length) return
    for (let at = 8; at < start; at += 16)
      this.#entries.set(blob.readUInt32BE(at), {
        type: blob.readUInt32BE(at + 4),
        at: blob.readUInt32BE(at + 8),
        count: Math.min(blob.readUInt32BE(at + 12), MAX_VALUES),
      })
  }

  /** How many values it says that it has, within bounds. */
  count(tag: number): number {
    return this.#entries.get(tag)?.count ?? 0
  }

  /** Its text, cut to `maxBytes`. */
  text(tag: number, maxBytes: number): string | undefined {
    const entry = this.#entries.get(tag)
    if (entry === undefined || (entry.type !== TYPES.string && entry.type !== TYPES.i18nString)) return undefined
    const end = this.#data.indexOf(0, entry.at)
    return end < 0 || entry.at > this.#data.length
      ? undefined
      : this.#data.toString("utf8", entry.at, Math.min(end, entry.at + maxBytes))
  }

  /** Its texts, raw: a character is a byte. Of one text a list of it. No more than `most`. */
  texts(tag: number, most = MAX_VALUES): string[] {
    const entry = this.#entries.get(tag)
    const texts: string[] = []
    if (entry === undefined || ![TYPES.string, TYPES.stringArray, TYPES.i18nString].includes(entry.type)) return texts
    let { at } = entry
    for (let index = 0; index < Math.min(entry.count, most); index++) {
      const end = this.#data.indexOf(0, at)
      if (end < 0 || at >= this.#data.length) break
      texts.push(this.#data.toString("latin1", at, end))
      at = end + 1
    }
    return texts
  }

  numbers(tag: number): number[] {
    const entry = this.#entries.get(tag)
    const bytes = entry && BYTES[entry.type]
    if (entry === undefined || bytes === undefined) return []
    const count = Math.min(entry.count, Math.max(0, Math.floor((this.#data.length - entry.at) / bytes)))
    return Array.from({ length: count }, (_, index) => this.#data.readUIntBE(entry.at + index * bytes, bytes))
  }

  /** The first of them. */
  number(tag: number): number | undefined {
    const entry = this.#entries.get(tag)
    return entry?.type === TYPES.int32 && entry.at + 4 <= this.#data.length
      ? this.#data.readUInt32BE(entry.at)
      : undefined
  }
}
