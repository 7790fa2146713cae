import { InvalidArgument } from "../../base/errors.ts"

const UNIT_MS: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1e3, m: 6e4, h: 3.6e6 }

/** Parses Go's durations (`1m30s`, `1.5h`, `250ms`, `0`) to milliseconds. Throws InvalidArgument. */
export function parseDuration(text: string): number {
  const [, sign = "", body = ""] = /^([+-]?)(.*)$/s.exec(text) ?? []
  const fail = () =>
    new InvalidArgument(`invalid duration "${text}"`, { hint: "expected units, such as 1m30s or 500ms" })
  if (body === "0") return 0
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(body)) throw fail()
  let ms = 0
  for (const [, count = "", unit = ""] of body.matchAll(/([\d.]+)([a-zµμ]+)/g))
    ms += Number(count) * (UNIT_MS[unit] ?? NaN)
  if (!Number.isFinite(ms)) throw fail()
  return sign === "-" ? -ms : ms
}

/** A time.Duration, given in nanoseconds: `1m30s`, `1.5s`, `200ms`, `0s`. */
export function formatDuration(nanoseconds: number): string {
  if (nanoseconds === 0) return "0s"
  if (nanoseconds < 1e3) return `${nanoseconds}ns`
  if (nanoseconds < 1e6) return `${nanoseconds / 1e3}µs`
  if (nanoseconds < 1e9) return `${nanoseconds / 1e6}ms`
  const whole = Math.floor(nanoseconds / 1e9)
  const hours = Math.floor(whole / 3600)
  const minutes = Math.floor(whole / 60) % 60
  const fraction = String(Math.round(nanoseconds % 1e9))
    .padStart(9, "0")
    .replace(/0+$/, "")
  const seconds = `${whole % 60}${fraction === "" ? "" : `.${fraction}`}s`
  if (hours > 0) return `${hours}h${minutes}m${seconds}`
  return minutes > 0 ? `${minutes}m${seconds}` : seconds
}
