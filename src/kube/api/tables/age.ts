const [SECOND, MINUTE, HOUR, DAY] = [1, 60, 3600, 86_400]

/** As kubectl shows how long ago: `45s`, `3m20s`, `5h`, `2d3h`, `3y10d` (apimachinery, duration.HumanDuration). */
export function humanDuration(ms: number): string {
  const seconds = Math.trunc(ms / 1000)
  if (seconds < -1) return "<invalid>"
  if (seconds < 0) return "0s"
  if (seconds < 2 * MINUTE) return `${seconds}s`
  const minutes = Math.trunc(seconds / MINUTE)
  if (minutes < 10) return two(minutes, "m", Math.trunc(seconds / SECOND) % 60, "s")
  if (minutes < 180) return `${minutes}m`
  const hours = Math.trunc(seconds / HOUR)
  if (hours < 8) return two(hours, "h", minutes % 60, "m")
  if (hours < 48) return `${hours}h`
  const days = Math.trunc(seconds / DAY)
  if (hours < 192) return two(days, "d", hours % 24, "h")
  if (days < 365 * 2) return `${days}d`
  const years = Math.trunc(days / 365)
  if (years < 8) return two(years, "y", days % 365, "d")
  return `${years}y`
}

function two(first: number, unit: string, second: number, smaller: string): string {
  return second === 0 ? `${first}${unit}` : `${first}${unit}${second}${smaller}`
}

/** The moment that was read last: objects of a long list were often made in the same second. */
let last = { text: "", at: Number.NaN }

/** Since a moment of an object; `<unknown>` where it has none. */
export function ageOf(time: unknown, now = Date.now()): string {
  if (typeof time !== "string" || time === "") return "<unknown>"
  if (last.text !== time) last = { text: time, at: Date.parse(time) }
  return humanDuration(now - last.at)
}
