import { expect, test } from "bun:test"
import { cpSync, mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { clampTimes } from "./clamp-times.ts"

const EPOCH = 1_500_000_000

/** A file, a directory with a file, and the times of all of them. */
function makeTree(top: string, name: string): string {
  const tree = join(top, name)
  mkdirSync(join(tree, "directory"), { recursive: true })
  for (const file of ["young", "directory/young", "old"]) writeFileSync(join(tree, file), "")
  utimesSync(join(tree, "old"), 1000, 1000)
  return tree
}

const times = (tree: string): number[] =>
  ["young", "directory/young", "directory", "old", "."].map((name) =>
    Math.floor(statSync(join(tree, name)).mtimeMs / 1000),
  )

test("what is younger has the time of the epoch", async () => {
  const top = mkdtempSync(join(tmpdir(), "skiff-clamp-"))
  const tree = makeTree(top, "tree")
  await clampTimes(tree, EPOCH)
  expect(times(tree)).toEqual([EPOCH, EPOCH, EPOCH, 1000, EPOCH])
  rmSync(top, { recursive: true })
})

test("what the base has with the same time keeps it", async () => {
  const top = mkdtempSync(join(tmpdir(), "skiff-clamp-"))
  const base = makeTree(top, "base")
  const tree = join(top, "tree")
  cpSync(base, tree, { recursive: true, preserveTimestamps: true })
  for (const name of ["young", "directory/young", "directory", "."]) {
    const { atime, mtime } = statSync(join(base, name))
    utimesSync(join(tree, name), atime, mtime)
    utimesSync(join(base, name), atime, mtime)
  }
  const before = times(tree)
  writeFileSync(join(tree, "directory/new"), "")
  await clampTimes(tree, EPOCH, base)
  expect(times(tree)).toEqual([before[0] ?? 0, before[1] ?? 0, EPOCH, 1000, before[4] ?? 0])
  rmSync(top, { recursive: true })
})
