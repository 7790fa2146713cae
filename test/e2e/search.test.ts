/** Searching registries: a real one's list of repositories, and the tags of one. One user is enough. */
import { beforeAll, expect, test } from "bun:test"
import { BUSYBOX } from "../support/image.ts"
import { sharedRegistry, type Registry } from "../support/registry.ts"
import { openStore } from "../support/store.ts"

const skiff = openStore()
let registry: Registry

beforeAll(async () => {
  registry = await sharedRegistry()
  registry.push("team/web-front:1", BUSYBOX)
  registry.push("team/web-front:2", BUSYBOX)
  registry.push("team/database:1", BUSYBOX)
})

test("a registry that is named lists the repositories whose name has the term", async () => {
  const found = await skiff.ok("search", "--format", "{{.Name}}", `${registry.host}/web`)
  expect(found).toBe(`${registry.host}/team/web-front`)
  const [title] = (await skiff.ok("search", `${registry.host}/team`)).split("\n")
  expect(title).toMatch(/^NAME +DESCRIPTION +STARS +OFFICIAL$/)
  expect(await skiff.ok("search", "--limit", "1", "--format", "{{.Name}}", `${registry.host}/team/`)).not.toContain(
    "\n",
  )
  expect(await skiff.ok("search", "--filter", "stars=1", "--format", "{{.Name}}", `${registry.host}/team/`)).toBe("")
})

test("--list-tags lists the tags of a repository", async () => {
  const tags = await skiff.ok("search", "--list-tags", "--format", "{{.Tag}}", `${registry.host}/team/web-front`)
  expect(tags.split("\n").toSorted()).toEqual(["1", "2"])
})

test("a registry that cannot be reached, and a limit that cannot be, are told", async () => {
  const unreachable = await skiff.run(["search", "--retry", "0", "127.0.0.1:1/x"])
  expect(unreachable).toMatchObject({ code: 1, stderr: expect.stringContaining("127.0.0.1:1") })
  const { code, stderr } = await skiff.run(["search", "--limit", "0", "x"])
  expect({ code, stderr }).toEqual({ code: 125, stderr: expect.stringContaining("outside the range of [1, 100]") })
})
