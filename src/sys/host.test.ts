import { afterEach, expect, test } from "bun:test"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { findProgram, ownCommand, parseOsRelease } from "./host.ts"

const directory = mkdtempSync(join(tmpdir(), "skiff-host-test-"))
afterEach(() => rmSync(directory, { recursive: true, force: true }))

test("programs are found in PATH first, and in sbin when PATH lacks it", () => {
  writeFileSync(`${directory}/sh`, "", { mode: 0o755 })
  writeFileSync(`${directory}/mount`, "", { mode: 0o644 })
  expect(findProgram("sh", directory)).toBe(`${directory}/sh`)
  expect(findProgram("mount", directory)).toBe("/usr/bin/mount") // the one in PATH may not be run
  expect(findProgram("ldconfig", "/nowhere")).toBe("/usr/sbin/ldconfig")
  expect(findProgram("no such program")).toBeUndefined()
})

test("nothing is taken from the working directory, and no directory is a program", () => {
  expect(findProgram("src", ":.:")).toBeUndefined()
  expect(findProgram("bin", "/usr:/")).toBeUndefined()
})

test("os-release is read with and without quotes", () => {
  const text = `# c\nID=debian\nPRETTY_NAME="A \\"B\\" (c)"\nEMPTY=\nQUOTED='x y'\nbad line\n`
  expect(Object.fromEntries(parseOsRelease(text))).toEqual({
    ID: "debian",
    PRETTY_NAME: 'A "B" (c)',
    EMPTY: "",
    QUOTED: "x y",
  })
})

test("ownCommand() names a program and this script", () => {
  expect(ownCommand()[0]).toBe(process.execPath)
})
