/** Archives of volumes: what a container left in a volume leads nobody out of it, neither writing nor reading. */
import { afterAll, expect, test } from "bun:test"
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { openStore } from "../support/store.ts"
import { tar } from "../support/tar.ts"
import { user } from "../support/user.ts"

const skiff = openStore()
const path = (name: string) => join(skiff.home, name)

afterAll(() => rmSync("/tmp/skiff-volume-escape", { force: true }))

const inVolume = (script: string) => skiff.ok("run", "--rm", "-v", "trap:/data", "busybox", "sh", "-c", script)

test("an archive is not extracted through links that a container made", async () => {
  await skiff.ok("volume", "create", "trap")
  await inVolume(
    "ln -s /tmp /data/out; ln -s ../../../../../../../tmp /data/up; ln -s /tmp/skiff-volume-escape /data/file",
  )
  const hostile = ["out/skiff-volume-escape", "up/skiff-volume-escape", "file"]
  for (const name of hostile) {
    writeFileSync(path("hostile.tar"), tar([{ name, content: "escaped" }]))
    // refused or kept inside: either way nothing of the host's is written
    await skiff.run(["volume", "import", "trap", path("hostile.tar")])
    expect([name, existsSync("/tmp/skiff-volume-escape")]).toEqual([name, false])
  }
  await skiff.ok("volume", "rm", "trap")
})

test("an archive whose names lead up is refused, or kept inside", async () => {
  await skiff.ok("volume", "create", "trap")
  writeFileSync(
    path("hostile.tar"),
    tar([{ name: "../../../../../../../../tmp/skiff-volume-escape", content: "escaped" }]),
  )
  await skiff.run(["volume", "import", "trap", path("hostile.tar")])
  expect(existsSync("/tmp/skiff-volume-escape")).toBe(false)
  await skiff.ok("volume", "rm", "trap")
})

test("links go out as links: nothing of the host is read through them", async () => {
  await skiff.ok("volume", "create", "trap")
  const secret = path("secret")
  writeFileSync(secret, `of ${user.uid} alone`)
  await inVolume(`ln -s ${secret} /data/look; ln -s / /data/root`)
  await skiff.ok("volume", "export", "-o", path("out.tar"), "trap")
  const bytes = readFileSync(path("out.tar"), "latin1")
  expect(bytes).not.toContain(`of ${user.uid} alone`)
  expect(bytes.length).toBeLessThan(64 * 1024)
  await skiff.ok("volume", "rm", "trap")
})
