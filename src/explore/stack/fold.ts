import { rowOf, rows, type Hit, type Part, type Row } from "./rows.ts"

/**
 * How layers lie one over the other. `seen`: as a container sees them (image-spec layer.md#whiteouts). `dive`: as dive stacks its trees, which its
 * figures are made by: opaque directories hide nothing, a file in a directory's place leaves what was in it, and a whiteout
 * takes effect when its turn in the order of names comes.
 */
export type Stacking = "seen" | "dive"

/** What of a name is there when all layers are one over the other, lowest first; the last is what is seen. Empty: nothing. */
export function fold({ name, hits }: Row, parts: readonly Part[], how: Stacking, upTo = Infinity): Part[] {
  let found: Part[] = []
  let hit = 0
  const isFirst = how === "seen" || `.wh.${name}` < name
  for (const [of, part] of parts.entries()) {
    if (part.layer > upTo) break
    if (how === "seen" && part.record.isOpaque) found = []
    const { plain, whiteout } = hits[hit]?.of === of ? (hits[hit++] as Hit) : NO_HIT
    if (whiteout !== undefined && isFirst) found = []
    if (plain !== undefined) {
      const joins = how === "dive" || (plain.isDirectory && found.at(-1)?.record.isDirectory === true)
      if (!joins) found = []
      found.push({ layer: part.layer, index: part.index, record: plain })
    }
    if (whiteout !== undefined && !isFirst) found = []
  }
  return found
}

const NO_HIT: Partial<Hit> = {}

/** What is at a path. */
export function descend(root: readonly Part[], path: string, how: Stacking): Part[] {
  let parts = [...root]
  for (const name of path === "" ? [] : path.split("/")) {
    const row = rowOf(parts, name)
    if (row === undefined) return []
    parts = fold(row, parts, how)
    if (parts.length === 0) return []
  }
  return parts
}

/** The sizes of all that is there, itself and below. */
export function sumOf(parts: readonly Part[], how: Stacking): number {
  const top = parts.at(-1)
  if (top === undefined) return 0
  if (parts.length === 1 && !top.record.hides) return top.record.belowBytes
  let sum = top.record.sizeBytes
  if (how === "seen" && !top.record.isDirectory) return sum
  for (const row of rows(parts)) sum += sumOf(fold(row, parts, how), how)
  return sum
}
