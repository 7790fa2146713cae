import { InvalidArgument } from "../base/errors.ts"
import { parseTimestamp } from "../spec/docker/timestamp.ts"
import { parseFilters } from "./filters.ts"
import { flag } from "./flag.ts"

interface Prunable {
  createdAt: Date
  labels: Readonly<Record<string, string>>
}

/** `--filter` of the prune commands. */
export const pruneFilterFlag = flag.strings('Provide filter values (e.g. "until=24h", "label=KEY=VALUE")', "filter")

/** Of all commands that prune. */
export const dryRunFlag = flag.bool("Show what would be removed")

/** Whether `prune --filter until=…, label=…, label!=…` asks for a thing. Throws InvalidArgument. */
export function pruneFilter(
  filters: readonly string[],
  known: readonly ("until" | "label" | "label!")[],
): (one: Prunable) => boolean {
  const { until, label = [], "label!": unlike = [] } = parseFilters(filters, known)
  if ((until?.length ?? 0) > 1) throw new InvalidArgument("more than one until filter specified")
  const before = until?.[0] === undefined ? undefined : parseTimestamp(until[0])
  return ({ createdAt, labels }) =>
    (before === undefined || createdAt < before) &&
    label.every((wanted) => hasLabel(labels, wanted)) &&
    !unlike.some((unwanted) => hasLabel(labels, unwanted))
}

/** Of `until`: for how long cache has not been used. */
export function unusedForMs(filters: readonly string[]): number | undefined {
  const until = filters.find((filter) => filter.startsWith("until="))?.slice("until=".length)
  return until === undefined ? undefined : Date.now() - parseTimestamp(until).getTime()
}

/** Whether it has `KEY`, or `KEY=VALUE`. */
export function hasLabel(labels: Readonly<Record<string, string>>, text: string): boolean {
  const equals = text.indexOf("=")
  if (equals < 0) return Object.hasOwn(labels, text)
  const key = text.slice(0, equals)
  return Object.hasOwn(labels, key) && labels[key] === text.slice(equals + 1)
}
