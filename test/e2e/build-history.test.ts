/** `buildx history`: what was built, how it ended, what it wrote, and how it is forgotten. One user is enough. */
import { beforeAll, expect, test } from "bun:test"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { openStore } from "../support/store.ts"

const skiff = openStore()
const context = join(skiff.home, "shop")
const history = async (...words: string[]) => await skiff.ok("buildx", "history", ...words)
const fails = async (...words: string[]) => await skiff.run(["buildx", "history", ...words])

beforeAll(async () => {
  mkdirSync(context)
  writeFileSync(join(context, "Dockerfile"), "FROM busybox AS base\nRUN echo made of $((40+2))\n")
  writeFileSync(
    join(context, "Broken"),
    "FROM busybox\nADD https://anna:hunter2@127.0.0.1:1/file /\nRUN echo '\x1b[31mred'; exit 3\n",
  )
  await skiff.ok("build", "-q", "-t", "shop:1", "--target", "base", "--provenance=max", context)
  await skiff.run(["build", "-f", join(context, "Broken"), context])
  await skiff.ok("build", "-q", "-t", "shop:1", "--target", "base", context)
})

test("ls shows the last builds, newest first, and finds them", async () => {
  const lines = (await history("ls")).split("\n").map((line) => line.split(/ {2,}/))
  expect(lines.map(([, name, status]) => [name, status])).toEqual([
    ["NAME", "STATUS"],
    ["shop (base)", "Completed"],
    ["shop/Broken", "Error"],
    ["shop (base)", "Completed"],
  ])
  expect(await history("ls", "--filter", "status=error", "--format", "{{.Name}}")).toBe("shop/Broken")
  const ref = await history("ls", "--filter", "status=error", "--format", "{{.Ref}}")
  expect(await history("ls", "--filter", `ref=${ref.slice(0, 8)}`, "--format", "{{.Ref}}")).toBe(ref)
})

test("inspect tells of the last build, of one by its id, and of the Nth before", async () => {
  const last = JSON.parse(await history("inspect", "--format", "json"))
  expect(last).toMatchObject({
    Name: "shop (base)",
    Context: context,
    Target: "base",
    Status: "completed",
    Tags: ["shop:1"],
  })
  expect(last.NumCachedSteps).toBeGreaterThan(0)
  expect(last.Images).toEqual([await skiff.ok("image", "inspect", "--format", "{{.Id}}", "shop:1")])
  expect(await history("inspect", last.Ref.slice(0, 10))).toContain("Status:        Completed")
  const broken = JSON.parse(await history("inspect", "^1", "--format", "json"))
  expect(broken).toMatchObject({ Name: "shop/Broken", Status: "error", Images: [] })
  expect(await fails("inspect", "ffffff-no")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('no such build: "ffffff-no"'),
  })
})

test("logs are those of the steps, and hold no password", async () => {
  expect(await history("logs", "^2")).toMatch(/^#\d+ made of 42$/m)
  for (const words of [
    ["logs", "^1"],
    ["inspect", "^1"],
    ["ls", "--json"],
  ])
    expect(await history(...words)).not.toContain("hunter2")
})

test("inspect attachment prints what the build attested", async () => {
  const statement = JSON.parse(await history("inspect", "attachment", "^2", "--type", "provenance"))
  expect(statement.predicateType).toBe("https://slsa.dev/provenance/v1")
  expect(await fails("inspect", "attachment", "^2", "--type", "sbom")).toMatchObject({ code: 1 })
})

test.each(["export", "import", "open"])("%s is refused by name", async (verb) => {
  expect(await fails(verb)).toMatchObject({ code: 1, stderr: expect.stringContaining("Docker Desktop") })
})

test("rm forgets builds, and leaves their images", async () => {
  const [newest = "", ...older] = (await history("ls", "--format", "{{.Ref}}")).split("\n")
  expect((await fails("rm", newest, "no-such")).code).toBe(1)
  expect((await history("ls", "--format", "{{.Ref}}")).split("\n")).toEqual([newest, ...older])
  await history("rm", newest)
  expect((await history("ls", "--format", "{{.Ref}}")).split("\n")).toEqual(older)
  await history("rm", "--all")
  expect(await history("ls", "--format", "{{.Ref}}")).toBe("")
  await skiff.ok("image", "exists", "shop:1")
})
