import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, test } from "bun:test"
import { Database } from "../base/database.ts"
import type { NewEvent } from "../event/event.ts"
import { openVolumes } from "./open.ts"
import { volumeSchema } from "./schema.ts"
import { volumeSuite, type VolumeStore } from "./volume.suite.ts"

interface TempStore extends VolumeStore {
  root: string
  events: NewEvent[]
}

function tempStore(): TempStore {
  const root = mkdtempSync(join(tmpdir(), "skiff-volumes-"))
  const users = new Map<string, { id: string; name: string }[]>()
  const opened: Database[] = []
  const events: NewEvent[] = []
  return {
    root,
    events,
    open() {
      const db = new Database(join(root, "skiff.db"))
      db.migrate([volumeSchema])
      opened.push(db)
      return openVolumes({
        db,
        root,
        events: { append: (event) => void events.push(event) },
        usedBy: (name) => users.get(name) ?? [],
        runningWith: async (name) => users.get(name) ?? [],
        registries: () => Promise.reject(new Error("no registry here")),
        whileFrozen: (_, body) => body(),
        kept: [root],
        bootId: "boot",
        images: () => Promise.reject(new Error("no images here")),
        snapshots: () => Promise.reject(new Error("no layers here")),
      })
    },
    use: (volume, ...containers) => void users.set(volume, containers),
    [Symbol.dispose]() {
      for (const db of opened) db[Symbol.dispose]()
      rmSync(root, { recursive: true })
    },
  }
}

volumeSuite("volumes of this host", tempStore)

test("what a killed copy left is not taken for content", async () => {
  using store = tempStore()
  const volumes = store.open()
  const image = join(store.root, "image")
  const volume = await volumes.create({ name: "data" })
  writeFileSync(join(volume.mountpoint, "torn"), "")
  writeFileSync(join(store.root, "volumes/data/half-filled"), "")
  await volumes.copyUp(volume, image, "/srv").catch(() => {})
  expect(existsSync(join(volume.mountpoint, "torn"))).toBe(false)
})

test("a removed volume leaves nothing on disk", async () => {
  using store = tempStore()
  const volumes = store.open()
  await volumes.create({ name: "data" })
  await volumes.remove("data")
  expect(readdirSync(join(store.root, "volumes"))).toEqual([])
  expect(store.events.map(({ action }) => action)).toEqual(["create", "destroy"])
})
