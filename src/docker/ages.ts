const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** A span as docker tells it: `3 seconds`, `About a minute`, `2 hours`, `5 weeks`. */
export function formatSpan(ms: number): string {
  const seconds = Math.floor(ms / SECOND)
  const minutes = Math.floor(ms / MINUTE)
  const hours = Math.round(ms / HOUR)
  if (seconds < 1) return "Less than a second"
  if (seconds === 1) return "1 second"
  if (seconds < 60) return `${seconds} seconds`
  if (minutes === 1) return "About a minute"
  if (minutes < 60) return `${minutes} minutes`
  if (hours === 1) return "About an hour"
  if (hours < 48) return `${hours} hours`
  if (hours < 24 * 7 * 2) return `${Math.floor(hours / 24)} days`
  if (hours < 24 * 30 * 2) return `${Math.floor(hours / 24 / 7)} weeks`
  if (hours < 24 * 365 * 2) return `${Math.floor(hours / 24 / 30)} months`
  return `${Math.floor(hours / 24 / 365)} years`
}

/** `2 hours ago`. */
export function formatAgo(date: Date, now: Date): string {
  return `${formatSpan(now.getTime() - date.getTime())} ago`
}

/** A moment as docker's `CreatedAt` shows it: `2026-11-21 10:15:04 +0100 CET`. */
export function formatMoment(date: Date): string {
  const offset = -date.getTimezoneOffset()
  const sign = offset < 0 ? "-" : "+"
  const zone = `${sign}${two(Math.floor(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
  return `${day} ${clock} ${zone} ${zoneName(date) ?? zone}`
}

function two(value: number): string {
  return String(value).padStart(2, "0")
}

function zoneName(date: Date): string | undefined {
  return /\(([A-Z]{2,5})\)$/.exec(date.toString())?.[1] ?? (date.getTimezoneOffset() === 0 ? "UTC" : undefined)
}
