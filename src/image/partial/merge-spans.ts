import type { ByteSpan } from "../../archive/archive.ts"

/** What is read in vain rather than asked for in two requests: less than a line brings while it waits for an answer. */
const FIRST_GAP_BYTES = 16 * 1024
/** Of one layer. Several ranges in one request most of the registries' stores do not know. */
const MAX_REQUESTS = 64

/** Few spans that hold all of `spans`, which are in order. */
export function mergeSpans(spans: readonly ByteSpan[], maxSpans = MAX_REQUESTS): ByteSpan[] {
  for (let gap = FIRST_GAP_BYTES; ; gap *= 2) {
    const merged: ByteSpan[] = []
    for (const { start, end } of spans) {
      const last = merged.at(-1)
      if (last !== undefined && start - last.end <= gap) last.end = Math.max(last.end, end)
      else merged.push({ start, end })
    }
    if (merged.length <= maxSpans) return merged
  }
}

/** How many bytes they are. */
export function spanBytes(spans: readonly ByteSpan[]): number {
  return spans.reduce((sum, { start, end }) => sum + end - start, 0)
}
