/** Images that are here: list, tag, inspect, history, remove. One user is enough. */
import { expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { BUSYBOX } from "../support/image.ts"
import { sharedRegistry } from "../support/registry.ts"
import { busyboxReference, openStore } from "../support/store.ts"

const skiff = openStore()

test("images in Docker's columns, by templates, as JSON", async () => {
  const reference = await busyboxReference()
  const [titles = "", ...rows] = (await skiff.ok("images")).split("\n")
  expect(titles).toMatch(/^REPOSITORY\s+TAG\s+IMAGE ID\s+CREATED\s+SIZE$/)
  expect(rows.length).toBeGreaterThanOrEqual(2)
  const names = (await skiff.ok("images", "--format", "{{.Repository}}:{{.Tag}}")).split("\n")
  expect(names).toContain(reference)
  expect(names).toContain("busybox:latest")
  const ids = new Set((await skiff.ok("images", "-q", "--no-trunc")).split("\n"))
  expect([...ids].every((id) => /^sha256:[0-9a-f]{64}$/.test(id))).toBe(true)
  const first = JSON.parse(
    (await skiff.ok("images", "--format", "{{json .}}", "busybox")).split("\n")[0] ?? "",
  ) as object
  expect(first).toMatchObject({ Repository: "busybox", Tag: "latest" })
  expect(JSON.parse(await skiff.ok("images", "--json"))).toBeArray()
})

test("tag gives another name to the same image; rmi takes names, then the image", async () => {
  const name = (await sharedRegistry()).push("images/tagged:1", {
    layers: [{ entries: [{ name: "only-here", content: "x" }] }],
  })
  await skiff.ok("pull", "-q", name)
  await skiff.ok("tag", name, "mine/copy:v2")
  const id = (image: string) => skiff.ok("inspect", "-f", "{{.Id}}", image)
  expect(await id("mine/copy:v2")).toBe(await id(name))
  const untagged = await skiff.ok("rmi", name)
  expect(untagged).toContain(`Untagged: ${name}`)
  expect(untagged).not.toContain("Deleted:")
  expect(await skiff.ok("rmi", "mine/copy:v2")).toContain("Deleted: sha256:")
  expect((await skiff.run(["inspect", name])).code).toBe(1)
})

test("rmi refuses an image that a container uses, and names the container", async () => {
  const name = (await sharedRegistry()).push("images/used:1", {
    ...BUSYBOX,
    config: { ...BUSYBOX.config, Labels: { a: "b" } },
  })
  await skiff.ok("pull", "-q", name)
  await skiff.ok("create", "--name", "by-name", name)
  const { code, stderr } = await skiff.run(["rmi", name])
  expect(code).toBe(1)
  expect(stderr).toContain("container by-name")
  await skiff.ok("rm", "by-name")
  await skiff.ok("rmi", name)
})

test("rmi of the last image leaves its layers to no one", async () => {
  const name = (await sharedRegistry()).push("images/freed:1", {
    layers: [{ entries: [{ name: "large", content: Buffer.alloc(3_000_000, "abcdefg") }], compression: "none" }],
  })
  await skiff.ok("pull", "-q", name)
  const used = () => Number(spawnSync("du", ["-sk", skiff.root]).stdout.toString().split("\t")[0])
  const before = used()
  await skiff.ok("rmi", name)
  expect(before - used()).toBeGreaterThan(5_500) // the blob and its extracted tree
})

test("inspect gives Docker's document", async () => {
  const [document] = JSON.parse(await skiff.ok("image", "inspect", "busybox")) as [Record<string, unknown>]
  expect(document).toMatchObject({ Os: "linux", RootFS: { Type: "layers" } })
  expect(document.RepoTags).toContain("busybox:latest")
  expect(document.Id).toMatch(/^sha256:[0-9a-f]{64}$/)
})

test("history names what made each layer", async () => {
  expect(await skiff.ok("history", "busybox")).toMatch(/^IMAGE\s+CREATED\s+CREATED BY\s+SIZE\s+COMMENT\n/)
  expect(await skiff.ok("history", "--format", "{{.CreatedBy}}", "--no-trunc", "busybox")).toBe("layer 0")
})

test("bootstrap busybox makes an image that runs", async () => {
  await skiff.ok("image", "bootstrap", "busybox", "-t", "made/here:1")
  expect(await skiff.ok("run", "--rm", "made/here:1", "echo", "made")).toBe("made")
  await skiff.ok("rmi", "made/here:1")
})

test("what bootstrap makes is listed once, by a name that a short one finds", async () => {
  await skiff.ok("tag", "busybox", "keep/busybox:1")
  await skiff.ok("rmi", "busybox")
  expect(await skiff.ok("image", "bootstrap", "busybox")).toBe("localhost/busybox:latest")
  const listed = (await skiff.ok("images", "--format", "{{.Repository}}:{{.Tag}}")).split("\n")
  expect(listed.filter((name) => /^(localhost\/)?busybox:/.test(name))).toEqual(["localhost/busybox:latest"])
  expect(await skiff.ok("run", "--rm", "--network", "none", "busybox", "echo", "made")).toBe("made")
  await skiff.ok("rmi", "localhost/busybox:latest")
  await skiff.ok("tag", "keep/busybox:1", "busybox")
  await skiff.ok("rmi", "keep/busybox:1")
})

test("rmi --ignore goes on, --all takes all that no container uses", async () => {
  expect(await skiff.ok("rmi", "--ignore", "absent")).toBe("")
  await skiff.ok("tag", "busybox", "another/name:1")
  await skiff.ok("create", "--name", "user", "busybox")
  const { code, stderr } = await skiff.run(["rmi", "--all"])
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringContaining("hint: remove the container: skiff rm user"),
  })
  await skiff.ok("rm", "user")
  await skiff.ok("rmi", "--all")
  expect(await skiff.ok("images", "-q")).toBe("")
})

test("an absent image: 1, and its name", async () => {
  for (const args of [
    ["rmi", "absent"],
    ["inspect", "absent"],
    ["history", "absent"],
    ["tag", "absent", "x"],
  ]) {
    const { code, stderr } = await skiff.run(args)
    expect({ args, code }).toEqual({ args, code: 1 })
    expect(stderr).toContain("absent")
  }
})
