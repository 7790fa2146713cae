import { expect, test } from "bun:test"
import { missedTimes, nextTime, parseSchedule } from "./cron-schedule.ts"
import { cpuMs } from "../../../test/support/cpu-time.ts"

const next = (schedule: string, after: string, zone = "UTC") => {
  const at = nextTime(parseSchedule(schedule), Date.parse(after), zone)
  return at === undefined ? undefined : new Date(at).toISOString().slice(0, 16)
}

test.each([
  ["*/15 * * * *", "2026-11-30T15:01:00Z", "2026-11-30T15:15"],
  ["0 0 * * *", "2026-11-30T15:01:00Z", "2026-12-01T00:00"],
  ["@hourly", "2026-11-30T15:00:00Z", "2026-11-30T16:00"],
  ["30 6 * * MON-FRI", "2026-12-04T12:00:00Z", "2026-12-07T06:30"],
  // a day of the month or of the week, where both are said
  ["0 0 13 * FRI", "2026-11-01T00:00:00Z", "2026-11-06T00:00"],
  ["0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00"],
  ["0 0 * * 7", "2026-11-30T00:00:00Z", "2026-12-06T00:00"],
])("%s after %s is %s", (schedule, after, expected) => expect(next(schedule, after)).toBe(expected))

test("a time zone's clock counts, also where it is put forward and back", () => {
  expect(next("0 9 * * *", "2026-11-30T15:00:00Z", "Asia/Tokyo")).toBe("2026-12-01T00:00")
  // 02:30 is not on that day
  expect(next("30 2 * * *", "2026-03-29T00:00:00Z", "Europe/Berlin")).toBe("2026-03-30T00:30")
  expect(next("30 2 * * *", "2026-10-25T00:00:00Z", "Europe/Berlin")).toBe("2026-10-25T00:30")
})

test("what was missed is counted, and a long time away costs little", () => {
  const schedule = parseSchedule("* * * * *")
  const now = Date.parse("2026-11-30T15:00:30Z")
  expect(missedTimes(schedule, { since: now - 180_000, now, timeZone: "UTC" })).toEqual({
    last: Date.parse("2026-11-30T15:00:00Z"),
    count: 3,
  })
  const begun = cpuMs()
  expect(missedTimes(schedule, { since: 0, now, timeZone: "UTC" }).last).toBe(Date.parse("2026-11-30T15:00:00Z"))
  expect(cpuMs() - begun).toBeLessThan(2_000)
})

test.each(["* * * *", "60 * * * *", "* * * * MOO", "5-1 * * * *", "*/0 * * * *", "@every 0s"])(
  "%s is refused",
  (text) => expect(() => parseSchedule(text)).toThrow("is no schedule"),
)
