/** A store whose files were damaged behind its back: seen, told, repaired. One user is enough. */
import { expect, test } from "bun:test"
import { appendFileSync, readdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { openStore } from "../support/store.ts"

const skiff = openStore()

test("a store that is whole has no fault", async () => {
  await skiff.ok("run", "--name", "one", "-v", "data:/data", "busybox", "sh", "-c", "echo x > /data/x; echo y > /y")
  await skiff.ok("commit", "-q", "one", "made")
  const { code, stdout, stderr } = await skiff.run(["system", "check"])
  expect([code, stdout]).toEqual([0, ""])
  expect(stderr).toMatch(/checked 2 images \(\d layers, \d+ blobs\), 1 containers, 1 volumes: 0 faults/)
  expect((await skiff.run(["system", "check", "--quick"])).code).toBe(0)
})

test("a changed file of a layer is found by its digest, and the image goes with --repair", async () => {
  await skiff.ok("rm", "one")
  const [directory = ""] = JSON.parse(
    await skiff.ok("image", "inspect", "--format", "{{json .GraphDriver.Data}}", "made"),
  ).UpperDir.split(":") as string[]
  appendFileSync(join(directory, "y"), "changed")
  expect((await skiff.run(["system", "check", "--quick"])).code).toBe(0)
  const found = await skiff.run(["system", "check"])
  expect(found.code).toBe(1)
  expect(found.stdout).toMatch(/^image made:latest: .*(changed|layer)/m)
  const repaired = await skiff.run(["system", "check", "--repair"])
  expect(repaired.code).toBe(0)
  expect(repaired.stdout).toContain("(removed)")
  expect(await skiff.ok("images", "--format", "{{.Repository}}")).not.toContain("made")
  expect((await skiff.run(["system", "check"])).code).toBe(0)
})

test("a volume without its directory is made anew", async () => {
  rmSync(await skiff.ok("volume", "inspect", "--format", "{{.Mountpoint}}", "data"), { recursive: true })
  expect((await skiff.run(["system", "check", "--quick"])).stdout).toBe("volume data: its directory is missing\n")
  expect((await skiff.run(["system", "check", "--quick", "--repair"])).code).toBe(0)
  expect(readdirSync(await skiff.ok("volume", "inspect", "--format", "{{.Mountpoint}}", "data"))).toEqual([])
})

test("an image that a container stands on stays until --force", async () => {
  await skiff.ok("create", "--name", "user", "busybox", "true")
  const { Id: id } = await skiff.inspect("user")
  const layer = JSON.parse(await skiff.ok("image", "inspect", "--format", "{{json .GraphDriver.Data}}", "busybox"))
    .UpperDir as string
  rmSync(join(layer, "bin"), { recursive: true })
  expect((await skiff.run(["system", "check", "--repair"])).code).toBe(1)
  expect((await skiff.inspect("user")).Id).toBe(id)
  expect((await skiff.run(["system", "check", "--force"])).code).toBe(0)
  expect(await skiff.ok("ps", "-aq")).toBe("")
  expect(await skiff.ok("images", "-q")).toBe("")
})
