import { afterAll, expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ignoreMatcher } from "../../dockerfile/ignore-file.ts"
import { contextSize } from "./context-size.ts"

const folder = mkdtempSync(join(tmpdir(), "skiff-context-size-"))
afterAll(() => rmSync(folder, { recursive: true }))
mkdirSync(join(folder, "node_modules/deep"), { recursive: true })
writeFileSync(join(folder, "a"), "12345")
writeFileSync(join(folder, "node_modules/big"), Buffer.alloc(1000))
writeFileSync(join(folder, "node_modules/deep/kept"), Buffer.alloc(30))
symlinkSync("/usr", join(folder, "out"))

test("a context weighs its files, and less without those that are left out", () => {
  expect(contextSize(folder, undefined)).toEqual({ bytes: 1035, allBytes: 1035 })
  expect(contextSize(folder, ignoreMatcher(["node_modules"]))).toEqual({ bytes: 5, allBytes: 1035 })
  expect(contextSize(folder, ignoreMatcher(["node_modules", "!node_modules/deep"]))).toEqual({
    bytes: 35,
    allBytes: 1035,
  })
})
