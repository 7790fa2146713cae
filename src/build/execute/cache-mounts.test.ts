import { expect, test } from "bun:test"
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { setImmediate } from "node:timers/promises"
import { removeTree } from "../../sys/fs/remove-tree.ts"
import { CacheMounts } from "./cache-mounts.ts"

const mount = {
  type: "cache",
  target: "/cache",
  id: "c",
  sharing: "shared",
  source: "",
  readOnly: false,
  mode: 0o755,
  uid: process.getuid?.() ?? 0,
  gid: process.getgid?.() ?? 0,
} as const

async function fill(directory: string): Promise<void> {
  for (const name of ["a", "b", "c"]) {
    writeFileSync(join(directory, name), name)
    await setImmediate()
  }
}

const fail = () => Promise.reject(new Error("no seed"))

test("steps of one build that begin a shared cache at once get the same one, whole", async () => {
  const root = mkdtempSync(join(tmpdir(), "skiff-cache-"))
  const caches = new CacheMounts(root)
  const held = await Promise.all(Array.from({ length: 8 }, () => caches.hold(mount, { identity: "seed", fill })))
  const [path = ""] = new Set(held.map((one) => one.path))
  expect(new Set(held.map((one) => one.path)).size).toBe(1)
  expect(
    readdirSync(path)
      .toSorted()
      .map((name) => readFileSync(join(path, name), "utf8")),
  ).toEqual(["a", "b", "c"])
  expect(readdirSync(dirname(path)).toSorted()).toEqual(["data", "lock"])
  for (const one of held) one[Symbol.dispose]()
  await removeTree(root)
})

test("a cache whose beginning fails leaves nothing of it", async () => {
  const root = mkdtempSync(join(tmpdir(), "skiff-cache-"))
  const caches = new CacheMounts(root)
  await expect(caches.hold(mount, { identity: "seed", fill: fail })).rejects.toThrow("no seed")
  using held = await caches.hold(mount, { identity: "seed", fill })
  expect(readdirSync(dirname(held.path)).toSorted()).toEqual(["data", "lock"])
  await removeTree(root)
})
