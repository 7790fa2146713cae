/** Schedules of CronJobs: crontab(5) as robfig/cron reads it, with time zones. Pure. */
import { InvalidArgument } from "../../base/errors.ts"

const MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(" ")
const DAYS = "SUN MON TUE WED THU FRI SAT".split(" ")
const NICKNAMES: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
}
const MAX_DAYS = 366 * 5
const [HOUR_MS, DAY_MS] = [3_600_000, 86_400_000]

export interface CronSchedule {
  minutes: ReadonlySet<number>
  hours: ReadonlySet<number>
  days: ReadonlySet<number>
  months: ReadonlySet<number>
  weekdays: ReadonlySet<number>
  /** One of the two is `*`: the other alone counts. */
  isAnyDay: boolean
  /** Since each start in its own: `@every 5m`. */
  everyMs?: number
}

/** Throws InvalidArgument. */
export function parseSchedule(text: string): CronSchedule {
  const every = /^@every\s+(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text.trim())
  if (every !== null) {
    const [, hours = "0", minutes = "0", seconds = "0"] = every
    const everyMs = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000
    if (everyMs <= 0) throw wrong(text, "the interval is nothing")
    const none = new Set<number>()
    return { minutes: none, hours: none, days: none, months: none, weekdays: none, isAnyDay: true, everyMs }
  }
  const fields = (NICKNAMES[text.trim()] ?? text).trim().split(/\s+/)
  const [minute = "", hour = "", day = "", month = "", weekday = ""] = fields
  if (fields.length !== 5) throw wrong(text, `expected exactly 5 fields, found ${fields.length}`)
  const weekdays = new Set([...parseField(text, weekday, [0, 7], DAYS)].map((one) => one % 7))
  return {
    minutes: parseField(text, minute, [0, 59]),
    hours: parseField(text, hour, [0, 23]),
    days: parseField(text, day, [1, 31]),
    months: parseField(text, month, [1, 12], MONTHS, 1),
    weekdays,
    isAnyDay: isStar(day) || isStar(weekday),
  }
}

function isStar(field: string): boolean {
  return /^[*?](\/\d+)?$/.test(field)
}

function wrong(text: string, why: string): InvalidArgument {
  return new InvalidArgument(`"${text.slice(0, 100)}" is no schedule: ${why}`, {
    field: "spec.schedule",
    hint: "five fields: minute, hour, day of the month, month, day of the week",
  })
}

function parseField(
  text: string,
  field: string,
  [least, most]: readonly [number, number],
  names: readonly string[] = [],
  firstName = 0,
): Set<number> {
  const numberOf = (word: string): number => {
    const named = names.indexOf(word.toUpperCase())
    const number = named >= 0 ? named + firstName : /^\d+$/.test(word) ? Number(word) : Number.NaN
    if (!(number >= least && number <= most)) throw wrong(text, `"${word.slice(0, 20)}" is not in ${least}-${most}`)
    return number
  }
  const found = new Set<number>()
  for (const part of field.split(",")) {
    const [range = "", stepText, ...more] = part.split("/")
    const step = stepText === undefined ? 1 : Number(stepText)
    if (more.length > 0 || !Number.isInteger(step) || step < 1) throw wrong(text, `"${part.slice(0, 20)}" has no step`)
    const [from = "", to, ...rest] = range.split("-")
    if (rest.length > 0) throw wrong(text, `"${part.slice(0, 20)}" is no range`)
    const isAll = range === "*" || range === "?"
    const first = isAll ? least : numberOf(from)
    const last = isAll
      ? most === 7
        ? 6
        : most
      : to !== undefined
        ? numberOf(to)
        : stepText === undefined
          ? first
          : most
    if (last < first) throw wrong(text, `"${part.slice(0, 20)}" ends before it begins`)
    for (let value = first; value <= last; value += step) found.add(value)
  }
  return found
}

/** The first time after `after`; undefined: never in the next five years. Milliseconds since the epoch. */
export function nextTime(schedule: CronSchedule, after: number, timeZone: string | undefined): number | undefined {
  if (schedule.everyMs !== undefined) return after + schedule.everyMs
  const zone = zoneOf(timeZone)
  const [hours, minutes] = [schedule.hours, schedule.minutes].map((set) => [...set].toSorted((a, b) => a - b))
  const begin = zone.local(after)
  const firstDay = Date.UTC(begin.year, begin.month - 1, begin.day)
  for (let count = 0; count < MAX_DAYS; count++) {
    const date = new Date(firstDay + count * DAY_MS)
    if (!isDay(schedule, date)) continue
    for (const hour of hours ?? []) {
      // gone by on the first day, whatever its clocks did
      if (count === 0 && hour < begin.hour) continue
      for (const minute of minutes ?? []) {
        if (count === 0 && hour === begin.hour && minute <= begin.minute) continue
        const time = zone.instant(date, hour, minute)
        if (time !== undefined && time > after) return time
      }
    }
  }
  return undefined
}

function isDay({ days, months, weekdays, isAnyDay }: CronSchedule, date: Date): boolean {
  if (!months.has(date.getUTCMonth() + 1)) return false
  const [isDate, isWeekday] = [days.has(date.getUTCDate()), weekdays.has(date.getUTCDay())]
  return isAnyDay ? isDate && isWeekday : isDate || isWeekday
}

/** Where to look for the last time, when there were too many to count: the first that has one has the last. */
const LOOK_BACK_MS = [3_600_000, DAY_MS, 31 * DAY_MS, 366 * DAY_MS]

/** The last time up to `now` that came after `since`, and how many there were, counted up to 101. */
export function missedTimes(
  schedule: CronSchedule,
  { since, now, timeZone }: { since: number; now: number; timeZone: string | undefined },
): { last: number | undefined; count: number } {
  const found = countTimes(schedule, { since, now, timeZone, limit: MOST_COUNTED })
  if (found.count <= MOST_COUNTED) return found
  for (const back of LOOK_BACK_MS) {
    const near = countTimes(schedule, { since: Math.max(since, now - back), now, timeZone, limit: Infinity })
    if (near.last !== undefined) return { last: near.last, count: found.count }
  }
  return found
}

const MOST_COUNTED = 100

function countTimes(
  schedule: CronSchedule,
  { since, now, timeZone, limit }: { since: number; now: number; timeZone: string | undefined; limit: number },
): { last: number | undefined; count: number } {
  let [last, count]: [number | undefined, number] = [undefined, 0]
  let at = nextTime(schedule, since, timeZone)
  while (at !== undefined && at <= now && count <= limit) {
    ;[last, count] = [at, count + 1]
    at = nextTime(schedule, at, timeZone)
  }
  return { last, count }
}

interface LocalTime {
  year: number
  month: number
  day: number
  hour: number
  minute: number
}

const zones = new Map<string, Zone>()

/** A format costs more than all that is done with it. */
function zoneOf(timeZone: string | undefined): Zone {
  const key = timeZone ?? ""
  let zone = zones.get(key)
  if (zone === undefined) zones.set(key, (zone = new Zone(timeZone)))
  return zone
}

class Zone {
  readonly #format: Intl.DateTimeFormat

  constructor(timeZone: string | undefined) {
    try {
      this.#format = new Intl.DateTimeFormat("en-US", {
        ...(timeZone !== undefined && { timeZone }),
        hourCycle: "h23",
        year: "numeric",
        month: "numeric",
        day: "numeric",
        hour: "numeric",
        minute: "numeric",
        second: "numeric",
      })
    } catch {
      throw new InvalidArgument(`unknown time zone "${String(timeZone).slice(0, 60)}"`, { field: "spec.timeZone" })
    }
  }

  local(ms: number): LocalTime {
    const parts = Object.fromEntries(this.#format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]))
    const { year = 0, month = 0, day = 0, hour = 0, minute = 0 } = parts
    return { year, month, day, hour, minute }
  }

  /** Undefined: the clocks were put forward over it. */
  instant(date: Date, hour: number, minute: number): number | undefined {
    const wanted = date.getTime() + (hour * 60 + minute) * 60_000
    let guess = wanted
    for (let round = 0; round < 3; round++) {
      const off = wanted - asUtc(this.local(guess))
      // of two by the same name the first
      if (off === 0) return asUtc(this.local(guess - HOUR_MS)) === wanted ? guess - HOUR_MS : guess
      guess += off
    }
    return asUtc(this.local(guess)) === wanted ? guess : undefined
  }
}

function asUtc({ year, month, day, hour, minute }: LocalTime): number {
  return Date.UTC(year, month - 1, day, hour, minute)
}
