/** A directory of a volume that becomes a link to the host's, and a directory again, as fast as can be, while its files are copied. */
import { afterAll, beforeAll, expect, test } from "bun:test"
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Canary } from "../support/canary.ts"
import { sharedRegistry } from "../support/registry.ts"
import { openStore } from "../support/store.ts"
import { swapForever } from "../support/swapper.ts"
import { tar } from "../support/tar.ts"
import { treeFacts } from "../support/tree-facts.ts"
import { user } from "../support/user.ts"

const skiff = openStore()
const canary = new Canary()
const ROUNDS = 25
/** What only the canary holds; the volume has a file of the same name. */
const SECRET = "alive"
let data = ""

beforeAll(async () => {
  await skiff.ok("volume", "create", "swapped")
  data = await skiff.ok("volume", "inspect", "-f", "{{.Mountpoint}}", "swapped")
  mkdirSync(join(data, "d"))
  writeFileSync(join(data, "d/canary"), "inner")
  symlinkSync(canary.directory, join(data, "link"))
  for (const each of ["d", "d/canary"]) chownSync(join(data, each), user.uid, user.gid)
})
afterAll(() => canary.remove())

/** On a busy machine fewer rounds, so that the test ends. */
const LONGEST_MS = 10_000
const repeat = async (work: () => Promise<void>, rounds = ROUNDS) => {
  await using _ = await swapForever(join(data, "d"), join(data, "link"))
  const deadline = Date.now() + LONGEST_MS
  for (let round = 0; round < rounds && Date.now() < deadline; round++) await work()
  canary.check()
}

test("an export has the link or the directory, and never a file of the host", async () => {
  const archive = join(skiff.home, "out.tar")
  await repeat(async () => {
    await skiff.run(["volume", "export", "-o", archive, "swapped"])
    if (existsSync(archive)) expect(readFileSync(archive, "latin1")).not.toContain(SECRET)
    rmSync(archive, { force: true })
  })
})

test("a snapshot has the link or the directory, and restoring it writes nothing through them", async () => {
  await repeat(async () => {
    const { code, stdout } = await skiff.run(["volume", "snapshot", "swapped"])
    if (code !== 0) return
    const snapshot = stdout.trim()
    expect(treeFacts(join(data, "../snapshots", snapshot, "data")).join("\n")).not.toContain(
      `${canary.directory}/canary`,
    )
    await skiff.ok("volume", "snapshot", "rm", "swapped", snapshot)
  })
})

test("an import writes into the volume alone", async () => {
  const archive = join(skiff.home, "in.tar")
  const entries = ["d/canary", "link/canary", "d/new", "link/new"].map((name) => ({ name, content: "escaped" }))
  writeFileSync(archive, tar(entries))
  await repeat(async () => void (await skiff.run(["volume", "import", "swapped", archive])))
  expect(existsSync(join(canary.directory, "new"))).toBe(false)
})

test("a push sends no file of the host", async () => {
  const to = `${(await sharedRegistry()).host}/swapped/volume:1`
  await repeat(async () => {
    if ((await skiff.run(["volume", "push", "-q", "swapped", to])).code !== 0) return
    await skiff.ok("volume", "pull", "-q", to, "copy")
    const copy = await skiff.ok("volume", "inspect", "-f", "{{.Mountpoint}}", "copy")
    for (const name of ["d", "link"]) {
      // where the copy has a link its end is the host's own file
      const isFile = treeFacts(copy).some((line) => line.startsWith(`/${name}/canary `))
      if (isFile) expect(readFileSync(join(copy, name, "canary"), "utf8")).not.toBe(SECRET)
    }
    await skiff.ok("volume", "rm", "copy")
  }, 5)
})

test("U gives away files of the volume alone", async () => {
  await repeat(
    async () =>
      void (await skiff.run([
        "run",
        "--rm",
        "--network",
        "none",
        "--user",
        "1000",
        "-v",
        "swapped:/v:U",
        "busybox",
        "true",
      ])),
  )
})
