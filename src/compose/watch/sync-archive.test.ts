import { afterEach, beforeEach, expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { findEntries, syncArchive, type SyncEntry } from "./sync-archive.ts"
import type { WatchTrigger } from "./watch-triggers.ts"

let [home, root] = ["", ""]
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), "skiff-sync-")))
  root = join(home, "shared")
  mkdirSync(join(root, "d"), { recursive: true })
  mkdirSync(join(home, "secret"))
  writeFileSync(join(root, "d/key"), "public")
  writeFileSync(join(home, "secret/key"), "SECRET")
})
afterEach(() => rmSync(home, { recursive: true }))

/** Another container has the directory mounted, and puts a link in a directory's place. */
function swap(): void {
  renameSync(join(root, "d"), join(root, "old"))
  symlinkSync("../secret", join(root, "d"))
}

const synced = (...paths: string[]) => {
  const trigger = { concerns: () => true, ignoresDirectory: () => false } as unknown as WatchTrigger
  return paths.map((path) => ({ from: join(root, path), to: join("/app", path), trigger }))
}

async function archiveOf(entries: readonly SyncEntry[]): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of syncArchive(entries)) chunks.push(new Uint8Array(chunk))
  return Buffer.concat(chunks).toString("latin1")
}

test("files, directories and links come as they are", async () => {
  symlinkSync("d/key", join(root, "link"))
  const { entries, gone } = findEntries(synced("", "d/gone"))
  expect(entries.map(({ to }) => to).toSorted()).toEqual(["/app", "/app/d", "/app/d/key", "/app/link"])
  expect(gone).toEqual(["/app/d/gone"])
  const archive = await archiveOf(entries)
  expect(archive).toContain("public")
  expect(archive).toContain("d/key\0")
})

test("a changed path that leads out by a link meanwhile is not read", async () => {
  swap()
  const { entries, gone } = findEntries(synced("d/key"))
  expect([entries, gone]).toEqual([[], []])
})

test("nor is one whose directory becomes a link after it was looked at", async () => {
  const { entries } = findEntries(synced("d", "d/key"))
  swap()
  expect(await archiveOf(entries)).not.toContain("SECRET")
})

test("nor one that becomes a link itself", async () => {
  const { entries } = findEntries(synced("d/key"))
  rmSync(join(root, "d/key"))
  symlinkSync("../../secret/key", join(root, "d/key"))
  expect(await archiveOf(entries)).not.toContain("SECRET")
})
