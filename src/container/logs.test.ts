import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, expect, test } from "bun:test"
import { LineJoiner, parseLogEntry } from "./log-entry.ts"
import { LogFile } from "./log-file.ts"

const directory = mkdtempSync(join(tmpdir(), "skiff-logs-"))
afterAll(() => rmSync(directory, { recursive: true }))

const entry = (text: string, tag = "F", stream = "stdout") =>
  `2026-11-21T12:00:00.000000001+00:00 ${stream} ${tag} ${text}\n`
const words = (file: LogFile) => {
  const joiner = new LineJoiner()
  const lines = [...file.read()].flatMap((one) => joiner.add(one) ?? [])
  return [...lines, ...joiner.flush()].map((line) => Buffer.from(line.bytes).toString())
}

test("partial entries of a stream are one line, and what never ends has no line break", () => {
  const path = join(directory, "partial")
  writeFileSync(path, entry("a", "P") + entry("err", "F", "stderr") + entry("b") + entry("prompt> ", "P"))
  using file = new LogFile(path)
  expect(words(file)).toEqual(["err\n", "ab\n", "prompt> "])
})

test.each([
  [0, []],
  [1, ["unended"]],
  [2, ["cc\n", "unended"]],
  [3, ["b\n", "cc\n", "unended"]],
  [4, ["a\n", "b\n", "cc\n", "unended"]],
  [99, ["a\n", "b\n", "cc\n", "unended"]],
])("the tail of %p lines counts program lines, not entries", (count, expected) => {
  const path = join(directory, "tail")
  writeFileSync(path, entry("a") + entry("b") + entry("c", "P") + entry("c") + entry("unended", "P"))
  using file = new LogFile(path)
  file.seekToTail(count)
  expect(words(file)).toEqual(expected)
})

test("the tail of a long log is found across blocks", () => {
  const path = join(directory, "long")
  writeFileSync(path, Array.from({ length: 20_000 }, (_, index) => entry(`line ${index}`)).join(""))
  using file = new LogFile(path)
  file.seekToTail(2500)
  const lines = words(file)
  expect(lines.length).toBe(2500)
  expect(lines[0]).toBe("line 17500\n")
})

test("a rotated log goes on in the new file, and a torn line is not lost", () => {
  const path = join(directory, "rotated")
  writeFileSync(path, entry("one") + entry("two").slice(0, 40))
  using file = new LogFile(path)
  expect(words(file)).toEqual(["one\n"])
  appendFileSync(path, entry("two").slice(40))
  expect(words(file)).toEqual(["two\n"])
  renameSync(path, `${path}.1`)
  writeFileSync(path, entry("three"))
  expect(words(file)).toEqual(["three\n"])
})

test("what is not of the format is no entry", () => {
  for (const text of ["", "a", "a b", "a stdout F", "t stdin F x", "t stdout X x"])
    expect(parseLogEntry(Buffer.from(text))).toBeUndefined()
})
