import { expect, test } from "bun:test"
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { removeSharedDirectory } from "./remove-shared-directory.ts"

test("nothing is left of a directory that another process empties, too", async () => {
  const top = mkdtempSync(join(tmpdir(), "skiff-shared-"))
  for (let round = 0; round < 20; round++) {
    const directory = join(top, String(round))
    mkdirSync(directory)
    for (let file = 0; file < 200; file++) writeFileSync(join(directory, `f${file}`), "")
    const other = Bun.spawn(["sh", "-c", 'cd "$0" && rm -f f1* && rm -f f[2-9]*', directory])
    await Bun.sleep(round / 4)
    removeSharedDirectory(directory)
    expect(existsSync(directory)).toBe(false)
    await other.exited
  }
  removeSharedDirectory(top)
  removeSharedDirectory(top) // safe to repeat
  expect(existsSync(top)).toBe(false)
})
