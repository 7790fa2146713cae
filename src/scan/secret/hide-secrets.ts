import { LineTable } from "../misconfiguration/yaml/yaml-view.ts"
import { printable } from "../../base/printable.ts"
import type { Secret, SubjectLayer } from "../scan.ts"
import { placeLayer } from "../place-layer.ts"
import type { FoundSecret } from "./secret-rule.ts"

/** Characters of a line that are shown on each side of a secret. */
const CONTEXT = 40
const MAX_STARS = 40

/** Where a text was found. */
export interface SecretPlace {
  /** Absolute, for people; undefined of what is in no file. */
  path?: string
  layer?: SubjectLayer | undefined
  isDeleted?: boolean
}

/** Secrets as they are told of, the first `limit`: with lines, and every one of them as stars, told or not. */
export function toldSecrets(
  text: string,
  found: readonly FoundSecret[],
  { path, layer, isDeleted = false }: SecretPlace,
  limit = Infinity,
): Secret[] {
  const lines = new LineTable(text)
  const hidden = joined(found)
  return found.slice(0, limit).map(({ rule, start, end }) => ({
    class: "secret",
    ruleId: rule.id,
    category: rule.category,
    title: rule.title,
    severity: rule.severity,
    match: shownMatch(text, start, end, hidden),
    place: {
      ...(path === undefined ? {} : { path, startLine: lines.lineOf(start), endLine: lines.lineOf(end - 1) }),
      ...(layer === undefined ? {} : { layer: placeLayer(layer) }),
    },
    isDeleted,
  }))
}

type Range = readonly [start: number, end: number]

/** What ranges cover, as ranges that do not overlap, in their order. */
function joined(found: readonly FoundSecret[]): Range[] {
  const ranges: [number, number][] = []
  for (const { start, end } of found.toSorted((a, b) => a.start - b.start)) {
    const last = ranges.at(-1)
    if (last !== undefined && start < last[1]) last[1] = Math.max(last[1], end)
    else ranges.push([start, end])
  }
  return ranges
}

/** The first that ends after `at`. */
function firstAfter(ranges: readonly Range[], at: number): number {
  let [low, high] = [0, ranges.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((ranges[middle]?.[1] ?? 0) > at) high = middle
    else low = middle + 1
  }
  return low
}

/** The line from some characters before a secret to some after it. */
function shownMatch(text: string, start: number, end: number, hidden: readonly Range[]): string {
  // a file of one line is not gone through for each of its secrets
  const [before, after] = [text.slice(Math.max(0, start - CONTEXT), start), text.slice(end, end + CONTEXT)]
  const newline = after.indexOf("\n")
  const from = start - before.length + before.lastIndexOf("\n") + 1
  const to = end + (newline < 0 ? after.length : newline)
  let shown = ""
  let at = from
  for (let index = firstAfter(hidden, from); index < hidden.length; index++) {
    const [a, b] = hidden[index] ?? [0, 0]
    if (a >= to) break
    if (a > at) shown += text.slice(at, a)
    if (b > at) shown += "*".repeat(Math.min(MAX_STARS, b - Math.max(a, at)))
    at = Math.max(at, b)
  }
  shown += text.slice(at, Math.max(at, to))
  // read byte by byte, so that places are those of the file
  return printable(Buffer.from(shown.trim(), "latin1").toString("utf8")).replaceAll("\n", "\\n")
}
