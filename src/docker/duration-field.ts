import { formatDuration } from "../spec/docker/duration.ts"

/** A field that is a time.Duration of Go: JSON has its nanoseconds, a template prints `1m30s`. */
export class DurationField extends Number {
  override toString(): string {
    return formatDuration(this.valueOf())
  }
}

/** `document` with those of its fields that are numbers of nanoseconds as such. Pure. */
export function withDurations<T extends object>(document: T, names: readonly (keyof T & string)[]): object {
  const times = names.flatMap((name) => {
    const value = document[name]
    return typeof value === "number" ? [[name, new DurationField(value)]] : []
  })
  return { ...document, ...Object.fromEntries(times) }
}

/** The times of a health check. */
export const HEALTH_TIMES = ["Interval", "Timeout", "StartPeriod", "StartInterval"] as const
