import type { LayerIndex, LayerRecord } from "../index/layer-index.ts"

const WHITEOUT = ".wh."
/** What follows all names that begin so. */
const AFTER_WHITEOUTS = ".wh/"

/** What one layer has at a path. */
export interface Part {
  /** The layer's number. */
  layer: number
  index: LayerIndex
  record: LayerRecord
}

/** What one layer says of a name in a directory. */
export interface Hit {
  /** Which of the directory's parts it is of. */
  of: number
  plain?: LayerRecord
  whiteout?: LayerRecord
}

/** A name in a directory that several layers have. */
export interface Row {
  /** Raw. */
  name: string
  /** Lowest first. */
  hits: Hit[]
}

/** The names of one directory, by their bytes, over all layers that have it; a whiteout under the name that it hides. */
export function* rows(parts: readonly Part[]): Generator<Row> {
  if (parts.length === 1 && parts[0]?.record.hides === false) return yield* plainRows(parts[0])
  const cursors = parts.flatMap((part, of) => cursorsOf(part, of))
  for (;;) {
    let name: string | undefined
    for (const cursor of cursors)
      if (cursor.name !== undefined && (name === undefined || cursor.name < name)) name = cursor.name
    if (name === undefined) return
    const hits: Hit[] = []
    for (const cursor of cursors) {
      if (cursor.name !== name) continue
      let hit = hits.at(-1)
      if (hit?.of !== cursor.of) hits.push((hit = { of: cursor.of }))
      if (hit !== undefined) hit[cursor.kind] = cursor.index.record(cursor.at)
      advance(cursor)
    }
    yield { name, hits }
  }
}

/** The rows of one name, by a search in each layer. */
export function rowOf(parts: readonly Part[], name: string): Row | undefined {
  const hits: Hit[] = []
  for (const [of, { index, record }] of parts.entries()) {
    const plain = index.find(record, name)
    const whiteout = record.hides ? index.find(record, WHITEOUT + name) : undefined
    if (plain !== undefined || whiteout !== undefined)
      hits.push({ of, ...(plain !== undefined && { plain }), ...(whiteout !== undefined && { whiteout }) })
  }
  return hits.length === 0 ? undefined : { name, hits }
}

function* plainRows({ index, record: { childStart, childCount } }: Part): Generator<Row> {
  for (let at = childStart; at < childStart + childCount; at++)
    yield { name: index.name(at), hits: [{ of: 0, plain: index.record(at) }] }
}

/** A run of a directory's names that is sorted as its rows are. */
interface Cursor {
  of: number
  kind: "plain" | "whiteout"
  index: LayerIndex
  at: number
  end: number
  /** Names of plain ones that are skipped: whiteouts lie among them. */
  skip?: { start: number; end: number }
  /** Undefined at the end. */
  name: string | undefined
}

function cursorsOf({ index, record }: Part, of: number): Cursor[] {
  const { childStart, childCount, hides } = record
  const end = childStart + childCount
  const plain: Cursor = { of, kind: "plain", index, at: childStart, end, name: undefined }
  const cursors = [plain]
  if (hides) {
    const from = index.lowerBound(childStart, end, WHITEOUT)
    const to = index.lowerBound(from, end, AFTER_WHITEOUTS)
    plain.skip = { start: from, end: to }
    if (to > from) cursors.unshift({ of, kind: "whiteout", index, at: from, end: to, name: undefined })
  }
  for (const cursor of cursors) readName(cursor)
  return cursors
}

function advance(cursor: Cursor): void {
  cursor.at++
  readName(cursor)
}

function readName(cursor: Cursor): void {
  if (cursor.skip !== undefined && cursor.at === cursor.skip.start) cursor.at = cursor.skip.end
  if (cursor.at >= cursor.end) cursor.name = undefined
  else {
    const name = cursor.index.name(cursor.at)
    cursor.name = cursor.kind === "whiteout" ? name.slice(WHITEOUT.length) : name
  }
}
