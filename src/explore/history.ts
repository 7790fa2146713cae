import type { ExploredImage, LayerEntry, PathStep } from "./explore.ts"

/** See `ExploredImage.history`. */
export function pathHistory(image: ExploredImage, path: string): PathStep[] {
  const steps: PathStep[] = []
  let before: LayerEntry | undefined
  for (const { index } of image.layers) {
    const entry = image.entry(index, path)
    // a whiteout of it, or of a directory above it, or a file in such a one's place
    const node =
      before === undefined && entry === undefined ? undefined : image.tree({ since: index, upTo: index }).node(path)
    if (entry !== undefined) {
      const change = before === undefined ? "added" : node?.change === "unmodified" ? "same" : "modified"
      steps.push({ layer: index, change, entry })
      before = entry
    } else if (before !== undefined && node?.change === "removed") {
      steps.push({ layer: index, change: "removed" })
      before = undefined
    }
  }
  return steps
}
