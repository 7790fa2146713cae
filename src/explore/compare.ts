import { TimeSlice } from "../base/time-slice.ts"
import type { ExploredImage, ImageDifference, LayerEntry, TreeNode } from "./explore.ts"

/** See `ExploredImage.compare`. */
export async function* compareImages(
  before: ExploredImage,
  after: ExploredImage,
  { signal }: { signal?: AbortSignal | undefined } = {},
): AsyncGenerator<ImageDifference> {
  const slice = new TimeSlice(signal)
  const [was, is] = [before, after].map((image) =>
    image.layers.length === 0 ? undefined : image.tree({ since: 0, upTo: image.layers.length - 1 }),
  )
  const below = (tree: typeof was, path: string, isThere: boolean) =>
    isThere ? (tree?.children(path) ?? []).filter(({ change }) => change !== "removed") : []
  yield* directory("", true, true)

  async function* directory(path: string, inBefore: boolean, inAfter: boolean): AsyncGenerator<ImageDifference> {
    const old = new Map(below(was, path, inBefore).map((node) => [node.name, node]))
    const fresh = new Map(below(is, path, inAfter).map((node) => [node.name, node]))
    for (const name of [...new Set([...old.keys(), ...fresh.keys()])].toSorted()) {
      if (slice.isOver) await slice.giveWay()
      const [a, b] = [old.get(name), fresh.get(name)]
      const inner = path === "" ? name : `${path}/${name}`
      if (a === undefined || b === undefined) yield difference(inner, a, b)
      else if (!isSame(a.entry, b.entry)) yield difference(inner, a, b)
      // what came or went as a whole is one line
      if (a?.isDirectory && b?.isDirectory) yield* directory(inner, true, true)
    }
  }
}

function difference(path: string, a: TreeNode | undefined, b: TreeNode | undefined): ImageDifference {
  const change = a === undefined ? "added" : b === undefined ? "removed" : "modified"
  return {
    path,
    change,
    isDirectory: (b ?? a)?.isDirectory ?? false,
    beforeBytes: a?.sizeBytes ?? 0,
    afterBytes: b?.sizeBytes ?? 0,
  }
}

function isSame(a: LayerEntry, b: LayerEntry): boolean {
  return (
    kindOf(a) === kindOf(b) &&
    a.mode === b.mode &&
    a.uid === b.uid &&
    a.gid === b.gid &&
    a.contentDigest === b.contentDigest &&
    linkOf(a) === linkOf(b) &&
    JSON.stringify(a.attributes) === JSON.stringify(b.attributes)
  )
}

function kindOf({ type }: LayerEntry): LayerEntry["type"] {
  return type === "hardlink" ? "file" : type
}

function linkOf({ type, linkTarget }: LayerEntry): string {
  return type === "hardlink" ? "" : linkTarget
}
