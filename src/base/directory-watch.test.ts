import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, expect, test } from "bun:test"
import { eventually } from "../../test/support/wait.ts"
import { watchDirectory } from "./directory-watch.ts"

const directory = mkdtempSync(join(tmpdir(), "skiff-watch-"))
afterAll(() => rmSync(directory, { recursive: true }))

test("all that watch a directory hear of a name that is moved into it, until they let go", async () => {
  const heard: string[] = []
  const first = Promise.withResolvers<void>()
  const gone = watchDirectory(directory, (name) => void heard.push(`gone ${name}`))
  using _ = watchDirectory(directory, (name) => {
    heard.push(`stays ${name}`)
    if (name === "b") first.resolve()
  })
  gone[Symbol.dispose]()
  writeFileSync(join(directory, "a"), "")
  renameSync(join(directory, "a"), join(directory, "b"))
  await first.promise
  expect(heard.filter((line) => line.startsWith("gone"))).toEqual([])
})

test("a directory that is not there is ENOENT", () => {
  expect(() => watchDirectory(join(directory, "nosuch"), () => {})).toThrow("ENOENT")
})

test("where the user's watches are used up, changes are seen all the same", () => {
  const script = `
    const { watchDirectory } = await import(${JSON.stringify(join(import.meta.dir, "directory-watch.ts"))})
    watchDirectory(${JSON.stringify(directory)}, () => { console.log("told"); process.exit(0) })`
  // namespaces.7: a user namespace has limits of its own
  const limited = 'echo 0 > /proc/sys/user/max_inotify_instances && exec "$@"'
  const words = ["-Ur", "sh", "-c", limited, "sh", process.execPath, "-e", script]
  const { stdout, stderr } = spawnSync("unshare", words, { encoding: "utf8", timeout: 30_000 })
  expect(stdout + stderr).toBe("told\n")
})

test("what comes close behind another change is told, too", async () => {
  const file = join(directory, "grows")
  writeFileSync(file, "")
  let seen = 0
  using _ = watchDirectory(directory, () => (seen = statSync(file).size))
  for (let round = 1; round <= 100; round++) {
    const child = spawn("sh", ["-c", `for i in 1 2 3 4 5 6 7 8 9; do printf x >>"${file}"; done`])
    await once(child, "exit")
    await eventually(() => seen === round * 9, 1_000)
  }
}, 30_000)
