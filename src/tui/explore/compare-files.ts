import { formatSize } from "../../base/sizes.ts"
import type { ExploredImage } from "../../explore/explore.ts"
import { PLAIN, type Style } from "../screen/style.ts"
import { diffLines, type DiffLine } from "./diff-lines.ts"
import type { ExploreEvent } from "./effects.ts"
import { changeLook, LOOKS } from "./looks.ts"
import { isBinary, linesOf, type FilePlace, type LinesPage } from "./page.ts"
import { pathText } from "./raw-text.ts"

/** Larger files are not compared line by line. */
const MOST_BYTES = 4 << 20
/** Unchanged lines that are shown around changed ones. */
const CONTEXT = 3

/** What a layer's file has otherwise than the same path in the layers below. */
export async function compareFiles(image: ExploredImage, place: FilePlace, signal: AbortSignal): Promise<ExploreEvent> {
  const { layer, path } = place
  const below = layer === 0 ? undefined : image.tree({ since: 0, upTo: layer - 1 }).node(path)
  if (!below || (below.entry.type !== "file" && below.entry.type !== "hardlink"))
    return told(`no layer below ${layer + 1} has a file ${pathText(path)}`)
  const [before, after] = [
    await image.read(below.layer, path, { length: MOST_BYTES, signal }),
    await image.read(layer, path, { length: MOST_BYTES, signal }),
  ]
  const title = `${pathText(path)}: layer ${below.layer + 1} → layer ${layer + 1}`
  const sizes = `${formatSize(before.sizeBytes)} → ${formatSize(after.sizeBytes)}`
  if (before.sizeBytes === after.sizeBytes && Buffer.compare(before.bytes, after.bytes) === 0)
    return page(title, place, [line(`the contents are the same: ${sizes}`)])
  if (before.sizeBytes > MOST_BYTES || after.sizeBytes > MOST_BYTES)
    return page(title, place, [line(`too large to compare by lines: ${sizes}, at most ${formatSize(MOST_BYTES)}`)])
  if (isBinary(before.bytes) || isBinary(after.bytes)) return page(title, place, [line(`the bytes differ: ${sizes}`)])
  const lines = diffLines(linesOf(before.bytes), linesOf(after.bytes))
  return page(title, place, lines ? shownLines(lines) : [line(`too much differs to show it by lines: ${sizes}`)])
}

/** Changed lines, with some around them. */
function shownLines(lines: readonly DiffLine[]): LinesPage["lines"] {
  const shown: { text: string; style: Style }[] = []
  let isLeftOut = false
  for (const [index, { kind, text }] of lines.entries()) {
    const around = lines.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1)
    if (around.every((one) => one.kind === "same")) {
      isLeftOut = true
      continue
    }
    if (isLeftOut) shown.push({ text: "…", style: LOOKS.faint })
    isLeftOut = false
    const mark = { same: "  ", added: "+ ", removed: "- " }[kind]
    shown.push({ text: `${mark}${text}`, style: kind === "same" ? PLAIN : changeLook(kind, false) })
  }
  return shown
}

function line(text: string): LinesPage["lines"][number] {
  return { text, style: PLAIN }
}

function page(title: string, place: FilePlace, lines: LinesPage["lines"]): ExploreEvent {
  return { kind: "lines", page: { kind: "lines", title, lines, top: 0, left: 0, place } }
}

function told(text: string): ExploreEvent {
  return { kind: "told", text, isError: true }
}
