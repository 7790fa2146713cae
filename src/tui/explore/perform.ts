import { SkiffError } from "../../base/errors.ts"
import { LinearExpression } from "../../base/linear-expression.ts"
import { formatSize } from "../../base/sizes.ts"
import type { ExploredImage, TreeNode } from "../../explore/explore.ts"
import { PLAIN } from "../screen/style.ts"
import { compareFiles } from "./compare-files.ts"
import type { ExploreEffect, ExploreEvent } from "./effects.ts"
import { extractFile } from "./extract-file.ts"
import { changeLook } from "./looks.ts"
import { BLOCK_BYTES, type ListItem } from "./page.ts"
import { pathText } from "./raw-text.ts"
import { modeText } from "./view-files.ts"

/** More paths than that nobody goes through. */
const MOST_MATCHES = 100_000
const MOST_FILES = 1000

/** Does what the screen asks for. One that is asked again ends what it did before; failures are told, and end nothing. */
export class ExplorePerformer implements Disposable {
  readonly #image: ExploredImage
  readonly #directory: string
  readonly #running = new Map<string, AbortController>()

  /** `directory`: where extracted files go that are named without one. */
  constructor(image: ExploredImage, directory: string) {
    this.#image = image
    this.#directory = directory
  }

  async perform(effect: ExploreEffect, dispatch: (event: ExploreEvent) => void): Promise<void> {
    if (effect.kind === "cancel") return this.#cancel()
    const kind = effect.kind === "match" ? effect.purpose : effect.kind
    this.#running.get(kind)?.abort()
    const controller = new AbortController()
    this.#running.set(kind, controller)
    try {
      const event = await this.#outcome(effect, controller.signal)
      if (!controller.signal.aborted) dispatch(event)
    } catch (error) {
      if (!controller.signal.aborted) dispatch({ kind: "told", text: messageOf(error), isError: true })
    } finally {
      if (this.#running.get(kind) === controller) this.#running.delete(kind)
    }
  }

  [Symbol.dispose](): void {
    for (const controller of this.#running.values()) controller.abort()
  }

  /** The figures are wanted whatever else is not. */
  #cancel(): void {
    for (const [kind, controller] of this.#running) if (kind !== "figures") controller.abort()
  }

  async #outcome(effect: Exclude<ExploreEffect, { kind: "cancel" }>, signal: AbortSignal): Promise<ExploreEvent> {
    const image = this.#image
    switch (effect.kind) {
      case "figures":
        return { kind: "figures", figures: await image.figures({ signal }) }
      case "match":
        return matches(effect, signal)
      case "read": {
        const { place, offset, isFirst, toLine } = effect
        const options = { offset, length: BLOCK_BYTES, signal }
        const { bytes, sizeBytes } = await image.read(place.layer, place.path, options)
        return { kind: "read", place, offset, bytes: bytes.slice(), sizeBytes, isFirst, toLine }
      }
      case "compare":
        return compareFiles(image, effect.place, signal)
      case "history":
        return history(image, effect.path)
      case "contents":
        return searchContents(image, effect, signal)
      case "extract": {
        const { to, sizeBytes } = await extractFile(image, effect, this.#directory, signal)
        return { kind: "told", text: `extracted to ${to} (${formatSize(sizeBytes)})`, isError: false }
      }
    }
  }
}

function messageOf(error: unknown): string {
  if (error instanceof SkiffError && typeof error.hint === "string") return `${error.message} (${error.hint})`
  return error instanceof Error ? error.message : String(error)
}

async function matches(
  { purpose, tree, text }: Extract<ExploreEffect, { kind: "match" }>,
  signal: AbortSignal,
): Promise<ExploreEvent> {
  const paths: string[] = []
  for await (const { path } of tree.matches(new LinearExpression(text), { limit: MOST_MATCHES, signal }))
    paths.push(path)
  return { kind: "matched", purpose, text, paths, isCut: paths.length >= MOST_MATCHES }
}

/** What each layer did to a path. */
function history(image: ExploredImage, path: string): ExploreEvent {
  const items: ListItem[] = []
  for (const { index, command } of image.layers) {
    const node = image.tree({ since: index, upTo: index }).node(path)
    const entry = image.entry(index, path)
    if (!node || (!entry && (node.change !== "removed" || node.layer !== index))) continue
    const what = `${modeText(node.entry)} ${`${node.entry.uid}:${node.entry.gid}`.padStart(11)} ${formatSize(node.entry.sizeBytes).padStart(8)}`
    items.push({
      text: `layer ${String(index + 1).padStart(3)}  ${node.change.padEnd(10)} ${what}  ${command}`,
      style: changeLook(node.change, false),
      place: entry && (entry.type === "file" || entry.type === "hardlink") ? { layer: index, path } : undefined,
    })
  }
  return { kind: "list", title: `History of ${pathText(path)}`, items }
}

/** Files that have a text in them: as it is, not an expression, which could take for ever on what is not for it. */
async function searchContents(
  image: ExploredImage,
  { tree, text }: Extract<ExploreEffect, { kind: "contents" }>,
  signal: AbortSignal,
): Promise<ExploreEvent> {
  const wanted = Buffer.from(text, "utf8")
  const items: ListItem[] = []
  const unread: string[] = []
  for await (const node of tree.walk("", { signal })) {
    if (node.entry.type !== "file" || node.change === "removed" || node.entry.sizeBytes < wanted.length) continue
    let place: number | undefined
    try {
      place = await placeIn(image, node, wanted, signal)
    } catch (error) {
      signal.throwIfAborted()
      unread.push(messageOf(error))
    }
    if (place === undefined) continue
    const { path, layer } = node
    items.push({ text: `${pathText(path)}  at byte ${place}`, style: PLAIN, place: { layer, path } })
    if (items.length >= MOST_FILES) break
  }
  const title = `Files with "${text}": ${items.length}${items.length >= MOST_FILES ? " and more" : ""}`
  const [first] = unread
  const message = first === undefined ? undefined : `${unread.length} could not be read: ${first}`
  return message === undefined ? { kind: "list", title, items } : { kind: "list", title, items, message }
}

async function placeIn(
  image: ExploredImage,
  { layer, path }: TreeNode,
  wanted: Buffer,
  signal: AbortSignal,
): Promise<number | undefined> {
  let before = Buffer.alloc(0)
  let offset = 0
  for await (const chunk of image.stream(layer, path, { signal })) {
    // it may lie over the end of a chunk
    const bytes = Buffer.concat([before, chunk])
    const at = bytes.indexOf(wanted)
    if (at >= 0) return offset - before.length + at
    before = Buffer.from(bytes.subarray(Math.max(0, bytes.length - wanted.length + 1)))
    offset += chunk.length
  }
  return undefined
}
