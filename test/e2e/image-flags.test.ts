/**
 * Flags of the image commands that podman's and docker's users know: which image of an index, how lists are sorted, what is pruned.
 *
 * One user is enough.
 */
import { beforeAll, describe, expect, test } from "bun:test"
import { mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { hostPlatform } from "../../src/spec/platform.ts"
import { openStore } from "../support/store.ts"

const skiff = openStore()
const HERE = `linux/${hostPlatform().architecture}`
const path = (name: string) => join(skiff.home, name)

beforeAll(async () => {
  mkdirSync(path("empty"), { recursive: true })
  writeFileSync(path("Dockerfile"), "FROM busybox\nLABEL keep=yes\n")
})

const names = async (...flags: string[]) =>
  (await skiff.ok("images", "--format", "{{.Repository}}:{{.Tag}}", ...flags)).split("\n").filter(Boolean)

test("--platform chooses one image of a name, and says which there are", async () => {
  const id = await skiff.ok("image", "inspect", "--format", "{{.Id}}", "--platform", HERE, "busybox")
  expect(id).toBe(await skiff.ok("image", "inspect", "--format", "{{.Id}}", "busybox"))
  expect(await skiff.ok("history", "--platform", HERE, "-q", "busybox")).toContain(id.slice(7, 19))
  for (const words of [["history"], ["image", "inspect"], ["rmi"], ["save", "-o", path("x.tar")]]) {
    const { code, stderr } = await skiff.run([...words, "--platform", "linux/s390x", "busybox"])
    expect([words, code, stderr]).toEqual([words, 1, expect.stringContaining(`valid: ${HERE}`)])
  }
  await skiff.ok("save", "--platform", HERE, "-o", path("one.tar"), "busybox")
})

describe("images", () => {
  test("are sorted, shown as a tree, and found by podman's filters", async () => {
    await skiff.ok("tag", "busybox", "alpha:2")
    await skiff.ok("tag", "busybox", "omega:1")
    expect((await names("--sort", "repository")).filter((name) => /alpha|omega/.test(name))).toEqual([
      "alpha:2",
      "omega:1",
    ])
    expect((await names("--sort", "tag")).filter((name) => /alpha|omega/.test(name))).toEqual(["omega:1", "alpha:2"])
    const id = await skiff.ok("images", "-q", "--no-trunc", "alpha")
    expect(await names("--filter", `id=${id.slice(7, 15)}`)).toContain("alpha:2")
    expect(await names("--filter", "readonly=true")).toEqual([])
    expect(await names("--filter", "until=1000h", "--filter", "reference=nothing")).toEqual([])
    await skiff.ok("build", "-q", "-t", "unused:1", "-f", path("Dockerfile"), path("empty"))
    const container = await skiff.ok("create", "busybox", "true")
    expect(await names("--filter", "containers=true")).toContain("alpha:2")
    expect(await names("--filter", "containers=true")).not.toContain("unused:1")
    expect(await names("--filter", "containers=false")).toEqual(["unused:1"])
    await skiff.ok("rm", container)
    await skiff.ok("rmi", "unused:1")
    const tree = await skiff.ok("images", "--tree", "--filter", "reference=alpha")
    expect(tree).toMatch(new RegExp(`^IMAGE +ID +DISK USAGE\nalpha:2 +\\S+ +\\S+\n└─ ${HERE} `))
    expect(await skiff.ok("images", "--history", "alpha")).toContain("HISTORY")
    await skiff.ok("rmi", "alpha:2", "omega:1")
  })

  test("that are pruned are those that the filters fit", async () => {
    await skiff.ok("build", "-q", "-t", "labelled:1", "-f", path("Dockerfile"), path("empty"))
    await skiff.ok("image", "prune", "--all", "--force", "--filter", "label=no-such")
    expect(await names()).toContain("labelled:1")
    await skiff.ok("image", "prune", "--all", "--force", "--filter", "label=keep=yes")
    expect(await names()).not.toContain("labelled:1")
    expect((await names()).some((name) => name.startsWith("busybox:"))).toBe(true)
  })
})

test("save --compress writes a directory of compressed layers", async () => {
  await skiff.ok("save", "--format", "docker-dir", "--compress", "-o", path("dir"), "busybox")
  expect(readdirSync(path("dir"))).toContain("manifest.json")
  const { code, stderr } = await skiff.run(["save", "--compress", "-o", path("y.tar"), "busybox"])
  expect({ code, stderr }).toEqual({ code: 125, stderr: expect.stringContaining("--compress can only be set") })
})

test.each([
  [["build", "--sign-by", "me", "."], "what stays in the local store is not signed"],
  [["push", "--encryption-key", "k", "busybox"], "layers are not encrypted"],
  [["build", "--decryption-key", "k", "."], "images are decrypted as they are pulled"],
  [["image", "prune", "--external"], "images of working containers are in use"],
  [["build", "--cpp-flag", "x", "."], "are not run through cpp"],
])("%p is refused with its reason", async (words, reason) => {
  const { code, stderr } = await skiff.run(words)
  expect({ code, stderr }).toEqual({ code: 125, stderr: expect.stringContaining(reason) })
})
