import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, expect, test } from "bun:test"
import { spawnProcess } from "../process/process.ts"
import { FileLocks } from "./file-locks.ts"

const directory = mkdtempSync(join(tmpdir(), "skiff-lock-"))
afterAll(() => rmSync(directory, { recursive: true }))

test("a held lock excludes others, and a released one does not", async () => {
  const locks = new FileLocks(join(directory, "locks"), "thing")
  {
    using held = await locks.acquire("a")
    expect(held).toBeDefined()
    expect(locks.tryAcquire("a")).toBeUndefined()
    expect(locks.tryAcquire("b")?.[Symbol.dispose]()).toBeUndefined()
    await expect(locks.acquire("a", { waitMs: 20 })).rejects.toThrow("is being changed by another skiff")
  }
  using again = locks.tryAcquire("a")
  expect(again).toBeDefined()
})

test("a lock whose file was unlinked meanwhile is taken on the new file", async () => {
  const locks = new FileLocks(directory, "thing")
  const first = await locks.acquire("c")
  const waiting = locks.acquire("c")
  first.unlink()
  first[Symbol.dispose]()
  using second = await waiting
  expect(existsSync(join(directory, "c"))).toBe(true)
  expect(locks.tryAcquire("c")).toBeUndefined()
  second.unlink()
  expect(existsSync(join(directory, "c"))).toBe(false)
})

test("a released lock is free at once, also while a program that was just started still has our descriptors", async () => {
  const locks = new FileLocks(join(directory, "locks"), "thing")
  for (let round = 0; round < 200; round++) {
    const held = await locks.acquire("d")
    const child = spawnProcess(["true"])
    held[Symbol.dispose]()
    const again = locks.tryAcquire("d")
    expect(again).toBeDefined()
    again?.[Symbol.dispose]()
    await child.exited
  }
})
