import { TimeSlice } from "../base/time-slice.ts"
import type { ContentMatch, ExploredImage, SearchOptions } from "./explore.ts"

const DEFAULT_LIMIT = 1000
/** Larger files are told, and not looked into. */
const MAX_FILE_BYTES = 64 * 2 ** 20
const MAX_LINE = 200

/** See `ExploredImage.search`. */
export async function* searchContents(
  image: ExploredImage,
  text: string,
  { limit = DEFAULT_LIMIT, layer, signal, onSkipped }: SearchOptions = {},
): AsyncGenerator<ContentMatch> {
  const wanted = Buffer.from(text)
  const slice = new TimeSlice(signal)
  const last = image.layers.length - 1
  if (wanted.length === 0 || last < 0) return
  let left = limit
  const range = layer === undefined ? { since: 0, upTo: last } : { since: layer, upTo: layer, alone: true }
  const seen = new Map<string, boolean>()
  for await (const node of image.tree(range).walk("", { signal })) {
    const { type, sizeBytes, contentDigest } = node.entry
    if (type !== "file" || node.change === "removed" || sizeBytes < wanted.length) continue
    // the same content is not read twice, but told of each file
    if (contentDigest !== undefined && seen.get(contentDigest) === false) continue
    if (sizeBytes > MAX_FILE_BYTES) {
      onSkipped?.(node.path)
      continue
    }
    const pieces: Uint8Array[] = []
    for await (const chunk of image.stream(node.layer, node.path, { signal })) pieces.push(Uint8Array.from(chunk))
    const bytes = Buffer.concat(pieces)
    let found = false
    let line = 1
    let counted = 0
    for (let at = bytes.indexOf(wanted); at >= 0 && left > 0;) {
      for (
        let newline = bytes.indexOf(10, counted);
        newline >= 0 && newline < at;
        newline = bytes.indexOf(10, counted)
      ) {
        line++
        counted = newline + 1
      }
      const ends = bytes.indexOf(10, at)
      const end = ends < 0 ? bytes.length : ends
      const isText = !bytes.subarray(0, 8000).includes(0)
      const start = Math.max(counted, at - MAX_LINE / 2)
      yield {
        layer: node.layer,
        path: node.path,
        ...(isText
          ? { line, text: bytes.subarray(start, Math.min(end, start + MAX_LINE)).toString("utf8") }
          : { offset: at }),
      }
      found = true
      if (--left <= 0) return
      // one match a line, of what has none one a file
      if (!isText) break
      at = end >= bytes.length ? -1 : bytes.indexOf(wanted, end)
    }
    if (contentDigest !== undefined && seen.size < 1_000_000) seen.set(contentDigest, found)
    if (slice.isOver) await slice.giveWay()
  }
}
