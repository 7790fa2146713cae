import { TimeSlice } from "../../base/time-slice.ts"
import type { EntryType, ExploredLayer, Figures, LayerEntry } from "../explore.ts"
import type { LayerIndex, LayerRecord } from "../index/layer-index.ts"
import { FLAG } from "../index/format.ts"

/** tar's type flags. */
const FLAGS: Readonly<Record<EntryType, number>> = {
  file: 0x30,
  hardlink: 0x31,
  symlink: 0x32,
  character: 0x33,
  block: 0x34,
  directory: 0x35,
  fifo: 0x36,
}

// Go's os.FileMode, which dive's documents have
const GO_TYPES: Readonly<Record<EntryType, number>> = {
  file: 0,
  hardlink: 0,
  directory: 2 ** 31,
  symlink: 2 ** 27,
  block: 2 ** 26,
  character: 2 ** 26 + 2 ** 21,
  fifo: 2 ** 25,
}

/** The document that dive writes of an image, as Go indents it, piece by piece. */
export async function* diveDocument(
  layers: readonly ExploredLayer[],
  indexes: readonly LayerIndex[],
  figures: Figures,
  signal?: AbortSignal,
): AsyncGenerator<string> {
  const slice = new TimeSlice(signal)
  yield layers.length === 0 ? '{\n  "layer": []' : '{\n  "layer": [\n'
  for (const [at, layer] of layers.entries()) {
    const index = indexes[at]
    const fields = {
      index: layer.index,
      id: layer.id,
      digestId: layer.diffId,
      sizeBytes: layer.sizeBytes,
      command: layer.command,
    }
    const head = indented(fields, 4).replace(/\n {4}\}$/, "")
    yield `    ${head},\n      "fileList": [`
    let isFirst = true
    if (index !== undefined)
      for (const record of childrenFirst(index, index.root)) {
        yield `${isFirst ? "" : ","}\n        ${indented(fileOf(index, record), 8)}`
        isFirst = false
        if (slice.isOver) await slice.giveWay()
      }
    yield `${isFirst ? "]" : "\n      ]"}\n    }${at === layers.length - 1 ? "\n  ]" : ",\n"}`
  }
  const image = {
    sizeBytes: figures.sizeBytes,
    inefficientBytes: figures.wastedBytes,
    efficiencyScore: figures.efficiency,
    fileReference: figures.inefficiencies.map(({ path, count, sizeBytes }) => ({
      count,
      sizeBytes,
      file: textOf(`/${path}`),
    })),
  }
  yield `,\n  "image": ${indented(image, 2)}\n}`
}

function* childrenFirst(index: LayerIndex, { childStart, childCount }: LayerRecord): Generator<LayerRecord> {
  for (let at = childStart; at < childStart + childCount; at++) {
    const record = index.record(at)
    if (record.childCount > 0) yield* childrenFirst(index, record)
    yield record
  }
}

function fileOf(index: LayerIndex, { at, flags }: LayerRecord) {
  const entry = index.entry(at)
  // a directory without an entry of its own is an empty row to dive
  if (entry.isImplied)
    return { path: "", typeFlag: 0, linkName: "", size: 0, fileMode: 0, uid: 0, gid: 0, isDir: false }
  return {
    path: textOf(`${(flags & FLAG.absolute) === 0 ? "" : "/"}${index.path(at)}`),
    typeFlag: FLAGS[entry.type],
    linkName: textOf(entry.linkTarget),
    size: entry.sizeBytes,
    fileMode: goMode(entry),
    uid: entry.uid,
    gid: entry.gid,
    isDir: entry.type === "directory",
  }
}

function goMode({ type, mode }: LayerEntry): number {
  const bit = (mask: number, value: number) => ((mode & mask) === 0 ? 0 : value)
  return (mode & 0o777) + bit(0o4000, 2 ** 23) + bit(0o2000, 2 ** 22) + bit(0o1000, 2 ** 20) + GO_TYPES[type]
}

function textOf(raw: string): string {
  return Buffer.from(raw, "latin1").toString("utf8")
}

/** Go writes these three so, in strings alone, where JSON has them. */
function indented(value: unknown, depth: number): string {
  return JSON.stringify(value, null, 2)
    .replaceAll("\n", `\n${" ".repeat(depth)}`)
    .replace(/[<>&\u2028\u2029]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`)
}
