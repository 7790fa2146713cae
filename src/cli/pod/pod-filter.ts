import { InvalidArgument } from "../../base/errors.ts"
import type { PodFilter } from "../../pod/pod.ts"
import { parseTimestamp } from "../../spec/docker/timestamp.ts"
import { parseFilters } from "../filters.ts"

const KEYS = [
  "ctr-ids",
  "ctr-names",
  "ctr-number",
  "ctr-status",
  "id",
  "label",
  "name",
  "network",
  "status",
  "until",
  "volume",
] as const

/** `--filter` of `pod ps`. Throws InvalidArgument. */
export function podFilter(filters: readonly string[]): PodFilter {
  const {
    "ctr-ids": containerId,
    "ctr-names": containerName,
    "ctr-number": count,
    "ctr-status": containerStatus,
    until,
    ...same
  } = parseFilters(filters, KEYS)
  const given = { containerId, containerName, containerStatus, containerCount: count?.map(readCount) }
  return {
    ...same,
    ...(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as PodFilter),
    ...(until === undefined ? {} : { until: parseTimestamp(until.at(-1) ?? "") }),
  }
}

function readCount(text: string): number {
  if (!/^\d{1,6}$/.test(text))
    throw new InvalidArgument(`invalid filter 'ctr-number=${text}'`, { hint: "expected a number" })
  return Number(text)
}
