import { expect, test } from "bun:test"
import type { LogTextOptions } from "./container.ts"
import { LogTextReader, utcTime } from "./log-text.ts"

const entry = (text: string, { tag = "F", stream = "stdout", time = "2026-11-21T12:00:00.000000001+00:00" } = {}) =>
  `${time} ${stream} ${tag} ${text}\n`

/** What is written, as `stdout: text`. */
function textOf(entries: string, options: LogTextOptions = {}, blocks = [entries]): string[] {
  const reader = new LogTextReader(options)
  const texts: string[] = []
  for (const block of blocks)
    for (const { stream, bytes } of reader.read(Buffer.from(block)))
      texts.push(`${stream}: ${Buffer.from(bytes).toString()}`)
  return texts
}

test("entries of one stream are one text, in the order of the log", () => {
  const log = entry("a") + entry("b") + entry("c", { stream: "stderr" }) + entry("") + entry("d ü")
  expect(textOf(log)).toEqual(["stdout: a\nb\n", "stderr: c\n", "stdout: \nd ü\n"])
})

test("a line in parts has one time and one head, before its first part, also over blocks", () => {
  const [first, second] = [entry("a", { tag: "P" }), entry("b") + entry("c", { tag: "P" })]
  const options = { timestamps: true, head: "x=1 " }
  expect(textOf("", options, [first, second])).toEqual([
    "stdout: 2026-11-21T12:00:00.000000001Z x=1 a",
    "stdout: b\n2026-11-21T12:00:00.000000001Z x=1 c",
  ])
})

const at = (second: number) => ({ time: `2026-11-21T12:00:0${second}.000000000+00:00` })

test("since and until choose whole lines by the time of their first part", () => {
  const log =
    entry("a", at(1)) + entry("b", { ...at(2), tag: "P" }) + entry("B", at(5)) + entry("c", at(4)) + entry("d", at(6))
  const [since, until] = [new Date("2026-11-21T12:00:02Z"), new Date("2026-11-21T12:00:04Z")]
  expect(textOf(log, { since, until })).toEqual(["stdout: bB\nc\n"])
})

test("entries of other forms are read as well, and what is none is passed over", () => {
  const log =
    entry("short time", { time: "2026-11-21T12:00:00Z" }) +
    "no entry\n" +
    "2026-11-21T12:00:00.000000001+00:00 nowhere F x\n\n" +
    entry("a zone", { time: "2026-11-21T13:00:00.000000007+01:00" })
  expect(textOf(log)).toEqual(["stdout: short time\na zone\n"])
  expect(textOf(log, { timestamps: true })).toEqual([
    "stdout: 2026-11-21T12:00:00Z short time\n2026-11-21T12:00:00.000000007Z a zone\n",
  ])
})

test("a text as long as a block of heads and more is written whole", () => {
  const lines = Array.from({ length: 20_000 }, (_, index) => `line ${index}`)
  const log = lines.map((line) => entry(line)).join("")
  const text = lines.map((line) => `2026-11-21T12:00:00.000000001Z ${line}\n`).join("")
  expect(textOf(log, { timestamps: true }).join("")).toBe(`stdout: ${text}`)
  expect(textOf(entry("x".repeat(500_000))).join("").length).toBe(500_009)
})

test("a time is shown in UTC, whatever zone it was written in", () => {
  expect(utcTime("2026-11-21T23:30:00.123456789-01:00")).toBe("2026-11-22T00:30:00.123456789Z")
  expect(utcTime("2026-11-21T12:00:00Z")).toBe("2026-11-21T12:00:00Z")
})
