/** Snapshots of volumes: whole or not at all, with all that files are. */
import { describe, expect, test } from "bun:test"
import { existsSync, lchownSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { makeOddTree, SPARSE } from "../support/odd-tree.ts"
import { openStore } from "../support/store.ts"
import { allocated, treeFacts } from "../support/tree-facts.ts"
import { user } from "../support/user.ts"

const skiff = openStore()
const mountpoint = (name: string) => skiff.ok("volume", "inspect", "-f", "{{.Mountpoint}}", name)

/** A new volume with one of everything, whose files the user of this run may have. */
async function oddVolume(name: string): Promise<string> {
  await skiff.ok("run", "--rm", "-v", `${name}:/v`, "busybox", "sh", "-c", "touch /v/probe; chown 1000:1001 /v/probe")
  const path = await mountpoint(name)
  const ids = lstatSync(join(path, "probe"))
  rmSync(join(path, "probe"))
  makeOddTree(path, ids, { devices: !user.rootless })
  for (const each of [".", ...readdirSync(path, { recursive: true, encoding: "buffer" })]) {
    const full = Buffer.concat([Buffer.from(`${path}/`), Buffer.from(each)])
    if (lstatSync(full).uid === 0) lchownSync(full, user.uid, user.gid)
  }
  return path
}

test("restore brings back all that the files were, and takes what came since", async () => {
  const path = await oddVolume("odd")
  const before = treeFacts(path)
  expect(await skiff.ok("volume", "snapshot", "odd", "first")).toBe("first")
  writeFileSync(join(path, "directory/file"), "changed")
  rmSync(join(path, "attributes"))
  mkdirSync(join(path, "new"))
  expect(treeFacts(path)).not.toEqual(before)
  await skiff.ok("volume", "restore", "odd", "first")
  expect(treeFacts(path)).toEqual(before)
  expect(allocated(join(path, SPARSE.name))).toBeLessThan(1024 * 1024)
  // the snapshot is there for another time, and none of the files is the same one
  writeFileSync(join(path, "directory/file"), "changed again")
  await skiff.ok("volume", "restore", "odd", "first")
  expect(treeFacts(path)).toEqual(before)
  await skiff.ok("volume", "rm", "odd")
  expect(existsSync(dirname(path))).toBe(false)
})

test("snapshots are listed in their order, and removed; a name is taken once", async () => {
  await skiff.ok("volume", "create", "data")
  await skiff.ok("volume", "snapshot", "data", "one")
  const second = await skiff.ok("volume", "snapshot", "data")
  expect(await skiff.ok("volume", "snapshot", "ls", "-q", "data")).toBe(`one\n${second}`)
  expect(JSON.parse(await skiff.ok("volume", "snapshot", "ls", "--json", "data"))).toMatchObject([{ Name: "one" }, {}])
  const taken = await skiff.run(["volume", "snapshot", "data", "one"])
  expect([taken.code, taken.stderr]).toEqual([1, expect.stringContaining('has a snapshot "one" already')])
  await skiff.ok("volume", "snapshot", "rm", "data", "one", second)
  expect(await skiff.ok("volume", "snapshot", "ls", "-q", "data")).toBe("")
  const gone = await skiff.run(["volume", "restore", "data", "one"])
  expect([gone.code, gone.stderr]).toEqual([1, expect.stringContaining('has no snapshot "one"')])
  for (const bad of ["..", "../x", ".aside-x", "a/b"])
    expect((await skiff.run(["volume", "snapshot", "data", bad])).code).toBe(1)
  await skiff.ok("volume", "rm", "data")
})

test("a directory of the host is not replaced", async () => {
  const device = join(skiff.home, "device")
  mkdirSync(device)
  lchownSync(device, user.uid, user.gid)
  await skiff.ok("volume", "create", "-o", "type=none", "-o", "o=bind", "-o", `device=${device}`, "bound")
  const { code, stderr } = await skiff.run(["volume", "snapshot", "bound"])
  expect([code, stderr]).toEqual([1, expect.stringContaining("lie elsewhere")])
  await skiff.ok("volume", "rm", "bound")
})

test("a volume of a running container is restored by force only, and the container sees it after a restart", async () => {
  await skiff.ok(
    "run",
    "-d",
    "--name",
    "user",
    "-v",
    "used:/v",
    "busybox",
    "sh",
    "-c",
    "echo old > /v/f; exec sleep 600",
  )
  await skiff.ok("exec", "user", "sh", "-c", "until [ -s /v/f ]; do sleep 0.02; done")
  await skiff.ok("volume", "snapshot", "--pause", "used", "s")
  expect(await skiff.ok("inspect", "-f", "{{.State.Status}}", "user")).toBe("running")
  await skiff.ok("exec", "user", "sh", "-c", "echo new > /v/f")
  const refused = await skiff.run(["volume", "restore", "used", "s"])
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('in use by container "user"')])
  expect(refused.stderr).toContain("skiff stop user")
  await skiff.ok("volume", "restore", "--force", "used", "s")
  expect(readFileSync(join(await mountpoint("used"), "f"), "utf8")).toBe("old\n")
  await skiff.ok("rm", "-f", "-t", "0", "user")
  await skiff.ok("volume", "rm", "used")
})

const leftovers = async () =>
  readdirSync(dirname(await mountpoint("killed")), { recursive: true, encoding: "utf8" }).filter((name) =>
    name.includes(".aside-"),
  )
const contentOf = async () => readFileSync(join(await mountpoint("killed"), "f"), "utf8")

describe("killed at any step, the next command works, and nothing is left", () => {
  test.each(["snapshot:copied", "restore:copied", "restore:exchanged", "snapshot:removing"])("at %s", async (step) => {
    await skiff.ok("volume", "create", "killed")
    const write = (text: string) =>
      skiff.ok("run", "--rm", "-v", "killed:/v", "busybox", "sh", "-c", `printf ${text} > /v/f`)
    await write("old")
    if (step !== "snapshot:copied") await skiff.ok("volume", "snapshot", "killed", "s")
    await write("new")
    const [verb] = step.split(":")
    const words = verb === "restore" ? ["restore"] : step === "snapshot:copied" ? ["snapshot"] : ["snapshot", "rm"]
    await skiff.run(["volume", ...words, "killed", "s"], { env: { SKIFF_CRASH_AT: step } })
    expect(await contentOf()).toBe(step === "restore:exchanged" ? "old" : "new")
    expect((await leftovers()).length).toBeGreaterThan(0)
    const hasSnapshot = verb === "restore"
    expect(await skiff.ok("volume", "snapshot", "ls", "-q", "killed")).toBe(hasSnapshot ? "s" : "")
    expect(await leftovers()).toEqual([])
    if (!hasSnapshot) await skiff.ok("volume", "snapshot", "killed", "s")
    await skiff.ok("volume", "restore", "killed", "s")
    expect(await contentOf()).toBe(hasSnapshot ? "old" : "new")
    await skiff.ok("volume", "rm", "killed")
  })

  test("while a container is paused for it: the next command lets it go on", async () => {
    await skiff.ok("run", "-d", "--name", "frozen", "-v", "killed:/v", "busybox", "sleep", "600")
    await skiff.run(["volume", "snapshot", "--pause", "killed"], { env: { SKIFF_CRASH_AT: "snapshot:copied" } })
    await skiff.ok("ps")
    expect(await skiff.ok("exec", "frozen", "echo", "alive")).toBe("alive")
    await skiff.ok("rm", "-f", "-t", "0", "frozen")
    await skiff.ok("volume", "rm", "killed")
  })
})
