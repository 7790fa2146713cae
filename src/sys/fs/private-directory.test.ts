import { afterEach, beforeEach, expect, test } from "bun:test"
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ensurePrivateFolder } from "./private-directory.ts"

let parent = ""
beforeEach(() => void (parent = mkdtempSync(join(tmpdir(), "skiff-private-test-"))))
afterEach(() => rmSync(parent, { recursive: true, force: true }))

test("the folder is made with mode 0700, and a wider one of ours is narrowed", () => {
  const path = `${parent}/a`
  ensurePrivateFolder(path)
  ensurePrivateFolder(path)
  expect(statSync(path).mode & 0o777).toBe(0o700)
  chmodSync(path, 0o777)
  ensurePrivateFolder(path)
  expect(statSync(path).mode & 0o777).toBe(0o700)
})

test("a link, a file and another user's folder are refused (CVE-2014-0047)", () => {
  mkdirSync(`${parent}/target`, { mode: 0o755 })
  symlinkSync(`${parent}/target`, `${parent}/link`)
  symlinkSync(`${parent}/nowhere`, `${parent}/dangling`)
  writeFileSync(`${parent}/file`, "")
  mkdirSync(`${parent}/other`)
  if (process.getuid?.() === 0) chownSync(`${parent}/other`, 12_345, 0)
  const refused = ["link", "dangling", "file", ...(process.getuid?.() === 0 ? ["other"] : [])]
  for (const name of refused)
    expect(() => ensurePrivateFolder(`${parent}/${name}`)).toThrow("wanted: a folder of our own")
  expect(statSync(`${parent}/target`).mode & 0o777).toBe(0o755)
})
