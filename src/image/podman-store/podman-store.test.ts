import { afterEach, beforeEach, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { readWithin } from "./podman-store.ts"

let home = ""
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "skiff-podman-store-"))
})
afterEach(() => rmSync(home, { recursive: true }))

test("a document of a stranger's store is read where it is a file, of bounded size", () => {
  const path = join(home, "manifest")
  expect(readWithin(path, 10)).toBeUndefined()
  writeFileSync(path, "0123456789")
  expect(readWithin(path, 10)?.toString()).toBe("0123456789")
  expect(() => readWithin(path, 9)).toThrow("has 10 bytes, the limit is 9")
})

test("a link is not followed, and a pipe not waited for", () => {
  symlinkSync("/dev/zero", join(home, "link"))
  spawnSync("mkfifo", [join(home, "pipe")])
  for (const name of ["link", "pipe"])
    expect(() => readWithin(join(home, name), 10)).toThrow(`${name}" is no regular file`)
})
