import { expect, test } from "bun:test"
import { closeSync, mkdtempSync, openSync, rmdirSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { readDirectory } from "./directory.ts"

test("a directory that was removed since it was opened has no entries", () => {
  const directory = mkdtempSync(join(tmpdir(), "skiff-directory-"))
  const fd = openSync(directory, "r")
  try {
    rmdirSync(directory)
    expect(readDirectory(fd)).toEqual([])
  } finally {
    closeSync(fd)
  }
})
