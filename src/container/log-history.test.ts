import { afterEach, beforeEach, expect, test } from "bun:test"
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { logLimits, olderLogs, prepareLog } from "./log-history.ts"

let directory: string
let path: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "skiff-log-history-"))
  path = join(directory, "container.log")
})
afterEach(() => rmSync(directory, { recursive: true }))

const limits = { fileBytes: 100, files: 2 }
/** As conmon does it: a new file in the place of the full one. */
function rotate(text: string): void {
  writeFileSync(`${path}.tmp`, "")
  renameSync(`${path}.tmp`, path)
  appendFileSync(path, text)
}
const shown = () => [...olderLogs(path), path].map((file) => readFileSync(file, "utf8"))

test("limits keep all files together within the total, two files more while the container runs", () => {
  expect(logLimits(50_000_000, 1)).toEqual({ fileBytes: 12_500_000, files: 2 })
  expect(logLimits(70, 5)).toEqual({ fileBytes: 10, files: 5 })
})

test("the file that conmon has put aside is still read", () => {
  expect(prepareLog(path, limits)).toBe(100)
  appendFileSync(path, "one")
  expect(shown()).toEqual(["one"])
  rotate("two")
  expect(shown()).toEqual(["one", "two"])
})

test("where one between is lost, nothing older is shown, and it is gone with the next start", () => {
  prepareLog(path, limits)
  appendFileSync(path, "one")
  rotate("two")
  rotate("three")
  expect(shown()).toEqual(["three"])
  prepareLog(path, limits)
  expect(shown()).toEqual(["three"])
  expect(readdirSync(directory).toSorted()).toEqual([
    "container.log",
    "container.log.next",
    "container.log.open",
    "container.log.tmp",
  ])
})

test("a start goes on in a file that is not half full, and begins another after one that is", () => {
  prepareLog(path, limits)
  appendFileSync(path, "x".repeat(50))
  expect(prepareLog(path, limits)).toBe(50)
  appendFileSync(path, "y")
  expect(prepareLog(path, limits)).toBe(100)
  expect(shown()).toEqual([`${"x".repeat(50)}y`, ""])
})

test("no more files are kept than there may be", () => {
  for (const text of ["a", "b", "c", "d"]) {
    prepareLog(path, limits)
    appendFileSync(path, text.repeat(60))
    expect(readdirSync(directory).length).toBeLessThanOrEqual(5)
  }
  rotate("e")
  expect(shown().map((text) => text[0])).toEqual(["c", "d", "e"])
  prepareLog(path, { ...limits, files: 4 })
  expect(shown().map((text) => text[0])).toEqual(["c", "d", "e"])
})
