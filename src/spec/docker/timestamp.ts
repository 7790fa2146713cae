import { InvalidArgument } from "../../base/errors.ts"
import { parseDuration } from "./duration.ts"

const DATE = /^\d{4}-\d{2}-\d{2}(?:T\d{2}(?::\d{2}(?::\d{2}(?:\.\d{1,9})?)?)?)?(?:Z|[+-]\d{2}:\d{2})?$/

/**
 * Parses docker's `--since` and `--until`: RFC 3339 and its beginnings (`2026-11-21T10:00`), seconds since 1970
 * (`1795000000.5`), or a time before `now` (`10m`). Without a zone it is local time. Throws InvalidArgument.
 */
export function parseTimestamp(text: string, now: Date = new Date()): Date {
  const time = timestampMs(text, now)
  if (!Number.isFinite(time) || Math.abs(time) > 8.64e15)
    throw new InvalidArgument(`invalid time "${text}"`, {
      hint: "expected 2026-01-31T10:00:00, seconds since 1970, or 10m",
    })
  return new Date(time)
}

function timestampMs(text: string, now: Date): number {
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text) * 1000
  if (!DATE.test(text)) return now.getTime() - parseDuration(text)
  const [, date = "", clock = "", zone = ""] = /^([\d-]{10})(?:T([\d:.]*))?(.*)$/.exec(text) ?? []
  const full = clock === "" ? "00:00:00" : /^\d\d$/.test(clock) ? `${clock}:00` : clock
  return Date.parse(`${date}T${full}${zone}`)
}
