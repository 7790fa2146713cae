import { afterEach, beforeEach, expect, test } from "bun:test"
import {
  appendFileSync,
  closeSync,
  linkSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { logAfter, logLimits, olderLogs, prepareLog, tendLog } from "./log-history.ts"

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
  closeSync(openSync(`${path}.tmp`, "a"))
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
  expect(readdirSync(directory).length).toBe(4)
})

test("where somebody looks in time, as many files are kept as there may be", () => {
  prepareLog(path, { ...limits, files: 4 })
  appendFileSync(path, "0")
  for (const text of ["1", "2", "3", "4", "5", "6"]) {
    rotate(text)
    tendLog(path, { files: 4 })
    tendLog(path, { files: 4 }) // safe to repeat
  }
  expect(shown()).toEqual(["2", "3", "4", "5", "6"])
  rotate("7")
  // two files more than at rest, and no more bytes than there may be
  expect(shown()).toEqual(["2", "3", "4", "5", "6", "7"])
  // who looks too late begins anew
  rotate("8")
  rotate("9")
  tendLog(path, { files: 4 })
  rotate("10")
  expect(shown()).toEqual(["9", "10"])
})

test("a file of conmon's own making that comes while the next is made ready leaves no gap unseen", () => {
  prepareLog(path, limits)
  appendFileSync(path, "one")
  rotate("two")
  // as if the one who looks had been killed after the first step, and conmon had gone on meanwhile
  writeFileSync(`${path}.new`, "")
  rotate("three")
  tendLog(path, limits)
  rotate("four")
  expect(shown()).toEqual(["three", "four"])
})

test("who was killed before the number was given leaves a file that conmon may take, and it is no part of what came before", () => {
  prepareLog(path, limits)
  appendFileSync(path, "one")
  rotate("two")
  writeFileSync(`${path}.new`, "")
  linkSync(`${path}.new`, `${path}.tmp`)
  rotate("three")
  tendLog(path, limits)
  rotate("four")
  expect(shown()).toEqual(["three", "four"])
})

test("a reader goes on with the file that came after its own, also when conmon is further", () => {
  prepareLog(path, { ...limits, files: 4 })
  appendFileSync(path, "one")
  const inode = statSync(path, { bigint: true }).ino
  expect(logAfter(path, inode)).toBe(path)
  rotate("two")
  tendLog(path, { files: 4 })
  rotate("three")
  expect(readFileSync(logAfter(path, inode), "utf8")).toBe("two")
})

test("the files of the first stores are taken up, and read before that", () => {
  for (const [name, text] of [
    ["2", "a"],
    ["1", "b"],
    ["open", "c"],
    ["tmp", ""],
  ])
    writeFileSync(`${path}.${name}`, text ?? "")
  linkSync(`${path}.tmp`, `${path}.next`)
  renameSync(`${path}.tmp`, path)
  appendFileSync(path, "d")
  expect(shown()).toEqual(["a", "b", "c", "d"])
  prepareLog(path, { ...limits, files: 4 })
  expect(shown()).toEqual(["a", "b", "c", "d"])
  expect(readdirSync(directory).filter((name) => /\.(\d|open|next)$/.test(name))).toEqual([])
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
