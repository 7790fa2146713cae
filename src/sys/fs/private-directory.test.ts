import { afterEach, beforeEach, expect, test } from "bun:test"
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ensurePrivateDirectory } from "./private-directory.ts"

let parent = ""
beforeEach(() => void (parent = mkdtempSync(join(tmpdir(), "skiff-private-test-"))))
afterEach(() => rmSync(parent, { recursive: true, force: true }))

test("the directory is made with mode 0700, and a wider one of ours is narrowed", () => {
  const path = `${parent}/a`
  ensurePrivateDirectory(path)
  ensurePrivateDirectory(path)
  expect(statSync(path).mode & 0o777).toBe(0o700)
  chmodSync(path, 0o777)
  ensurePrivateDirectory(path)
  expect(statSync(path).mode & 0o777).toBe(0o700)
})

test("a link, a file and another user's directory are refused (CVE-2014-0047)", () => {
  mkdirSync(`${parent}/target`, { mode: 0o755 })
  symlinkSync(`${parent}/target`, `${parent}/link`)
  symlinkSync(`${parent}/nowhere`, `${parent}/dangling`)
  writeFileSync(`${parent}/file`, "")
  mkdirSync(`${parent}/other`)
  if (process.getuid?.() === 0) chownSync(`${parent}/other`, 12_345, 0)
  const refused = ["link", "dangling", "file", ...(process.getuid?.() === 0 ? ["other"] : [])]
  for (const name of refused)
    expect(() => ensurePrivateDirectory(`${parent}/${name}`)).toThrow("wanted: a directory of our own")
  expect(statSync(`${parent}/target`).mode & 0o777).toBe(0o755)
})
