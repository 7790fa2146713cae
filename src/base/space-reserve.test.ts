import { afterEach, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Database } from "./database.ts"

const directory = mkdtempSync(join(tmpdir(), "skiff-full-"))
const isMounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=12m", "tmpfs", directory]).status === 0
if (!isMounted) {
  console.log("skipped: no tmpfs can be mounted here")
  rmSync(directory, { recursive: true })
}

afterEach(() => {
  spawnSync("umount", [directory])
  rmSync(directory, { recursive: true })
})

test.skipIf(!isMounted)("on a full disk the records open and can be written, by what was kept free", () => {
  const path = join(directory, "skiff.db")
  new Database(path)[Symbol.dispose]() // as a store is made: with room
  spawnSync("dd", ["if=/dev/zero", `of=${directory}/filler`, "bs=4k"])
  {
    using db = new Database(path)
    db.exec("CREATE TABLE things (name TEXT)")
    expect(db.run("INSERT INTO things VALUES ('a')")).toBe(1)
  }
  spawnSync("dd", ["if=/dev/zero", `of=${directory}/filler2`, "bs=4k"])
  expect(() => new Database(path)).toThrow("no space left")
  rmSync(join(directory, "filler"))
  using db = new Database(path)
  expect(db.get<{ name: string }>("SELECT name FROM things")?.name).toBe("a")
})
