import { expect, test } from "bun:test"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { tar } from "../../../test/support/tar.ts"
import { openInput } from "./open-input.ts"

const ARCHIVE = Buffer.from(tar([{ name: "f", content: "x".repeat(2000) }]))

test.each([
  ["no archive", Buffer.from("hello"), "is no tar archive"],
  ["cut", ARCHIVE.subarray(0, 1000), "is truncated"],
  ["compressed, and cut", gzipSync(ARCHIVE.subarray(0, 1000)), "is truncated"],
])("what is wrong with an archive is told with its path: %s", async (_, bytes, what) => {
  const directory = mkdtempSync(join(tmpdir(), "open-input-"))
  const path = join(directory, "a.tar")
  writeFileSync(path, bytes)
  try {
    await expect(openInput({ path }, directory)).rejects.toThrow(new RegExp(`^cannot read "${path}": .*${what}$`))
  } finally {
    rmSync(directory, { recursive: true })
  }
})
