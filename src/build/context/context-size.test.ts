import { afterAll, expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ignoreMatcher } from "../../dockerfile/ignore-file.ts"
import { contextSize } from "./context-size.ts"

const directory = mkdtempSync(join(tmpdir(), "skiff-context-size-"))
afterAll(() => rmSync(directory, { recursive: true }))
mkdirSync(join(directory, "node_modules/deep"), { recursive: true })
writeFileSync(join(directory, "a"), "12345")
writeFileSync(join(directory, "node_modules/big"), Buffer.alloc(1000))
writeFileSync(join(directory, "node_modules/deep/kept"), Buffer.alloc(30))
symlinkSync("/usr", join(directory, "out"))

test("a context weighs its files, and less without those that are left out", () => {
  expect(contextSize(directory, undefined)).toEqual({ bytes: 1035, allBytes: 1035 })
  expect(contextSize(directory, ignoreMatcher(["node_modules"]))).toEqual({ bytes: 5, allBytes: 1035 })
  expect(contextSize(directory, ignoreMatcher(["node_modules", "!node_modules/deep"]))).toEqual({
    bytes: 35,
    allBytes: 1035,
  })
})
