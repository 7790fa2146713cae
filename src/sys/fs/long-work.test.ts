/** Work on large trees leaves the event loop free, and ends when it is cancelled. */
import { heapStats } from "bun:jsc"
import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setImmediate } from "node:timers/promises"
import { longestShare } from "../../../test/support/turns.ts"
import { clampTimes } from "./clamp-times.ts"
import { copyTree } from "./copy-tree.ts"
import { removalAt, removeTree } from "./remove-tree.ts"
import { treeUsage } from "./tree-usage.ts"

const FILES = 3_000
// in memory: it is about many files, not about a disk
const PLACE = existsSync("/dev/shm") ? "/dev/shm" : tmpdir()

let directory: string
let tree: string

beforeEach(() => {
  directory = mkdtempSync(join(PLACE, "skiff-long-"))
  tree = join(directory, "tree")
  for (let index = 0; index < FILES; index++) {
    const parent = join(tree, `d${Math.floor(index / 100)}`)
    if (index % 100 === 0) mkdirSync(parent, { recursive: true })
    writeFileSync(join(parent, `f${index}`), "x")
  }
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

function strings(): number {
  Bun.gc(true)
  return heapStats().objectTypeCounts.string ?? 0
}

describe("on a tree of many files", () => {
  test.each<[string, () => Promise<unknown>]>([
    ["copyTree()", () => copyTree(tree, "/", directory, "copy")],
    ["treeUsage()", () => Promise.all(Array.from({ length: 20 }, () => treeUsage(tree)))],
    ["clampTimes()", () => clampTimes(tree, 1)],
    ["removeTree()", () => removeTree(tree)],
  ])("%s gives others their turns", async (_, work) => {
    expect(await longestShare(work())).toBeLessThan(0.5)
  })

  test("removeTree() has a part of a directory's names in memory, not all", () => {
    const wide = join(directory, "wide")
    mkdirSync(wide)
    for (let index = 0; index < 20_000; index++) writeFileSync(join(wide, `a-file-with-a-name-of-its-own-${index}`), "")
    const before = strings()
    const fd = openSync(directory, "r")
    const removal = removalAt(fd, "wide", wide)
    removal.next()
    expect(strings() - before).toBeLessThan(10_000)
    while (removal.next().done !== true);
    closeSync(fd)
    expect(existsSync(wide)).toBe(false)
  })

  test("copyTree() and removeTree() end where they are when they are cancelled, and can be repeated", async () => {
    for (const work of [
      (signal?: AbortSignal) => copyTree(tree, "/", directory, "copy", { signal }),
      (signal?: AbortSignal) => removeTree(tree, signal),
    ]) {
      const stop = new AbortController()
      const working = work(stop.signal)
      await setImmediate()
      stop.abort(new Error("enough"))
      expect(String(await working.catch((error: unknown) => error))).toContain("enough")
    }
    expect(readdirSync(join(directory, "copy")).length).toBeLessThan(FILES / 100)
    expect(existsSync(tree)).toBe(true)
    await removeTree(tree)
    expect(existsSync(tree)).toBe(false)
  })
})
