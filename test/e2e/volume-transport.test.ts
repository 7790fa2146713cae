/** Volumes that go to a registry and come back on another machine (another store), with all that files are. */
import { describe, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import {
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs"
import { dirname, join } from "node:path"
import { makeOddTree, SPARSE } from "../support/odd-tree.ts"
import { sharedRegistry } from "../support/registry.ts"
import { openStore } from "../support/store.ts"
import { allocated, treeFacts } from "../support/tree-facts.ts"
import { user } from "../support/user.ts"

const skiff = openStore()
const other = openStore()
const mountpoint = (name: string, store = skiff) => store.ok("volume", "inspect", "-f", "{{.Mountpoint}}", name)
const nameFor = async (repository: string) => `${(await sharedRegistry()).host}/volumes/${repository}:1`

/** Files that a test as root has made are the user's of this run. */
function give(path: string): void {
  for (const each of [".", ...readdirSync(path, { recursive: true, encoding: "buffer" })]) {
    const full = Buffer.concat([Buffer.from(`${path}/`), Buffer.from(each)])
    if (lstatSync(full).uid === 0) lchownSync(full, user.uid, user.gid)
  }
}

async function oddVolume(name: string): Promise<string> {
  await skiff.ok("run", "--rm", "-v", `${name}:/v`, "busybox", "sh", "-c", "touch /v/probe; chown 1000:1001 /v/probe")
  const path = await mountpoint(name)
  const ids = lstatSync(join(path, "probe"))
  rmSync(join(path, "probe"))
  makeOddTree(path, ids, { devices: !user.rootless })
  give(path)
  return path
}

/** Parts that were sent, and how many there are, as `push` says. */
async function push(name: string, to: string): Promise<[sent: number, all: number]> {
  const said = await skiff.ok("volume", "push", name, to)
  const [, sent, all] = /(\d+) of (\d+) parts sent/.exec(said) ?? []
  return [Number(sent), Number(all)]
}

test("what is pulled elsewhere is what was pushed, byte for byte, holes, links and attributes with it", async () => {
  const path = await oddVolume("odd")
  const to = await nameFor("odd")
  const [sent, all] = await push("odd", to)
  expect([sent, all]).toEqual([all, all])
  const before = treeFacts(path)
  expect(await other.ok("volume", "pull", "-q", to)).toBe("odd")
  const pulled = await mountpoint("odd", other)
  expect(treeFacts(pulled)).toEqual(before)
  expect(allocated(join(pulled, SPARSE.name))).toBeLessThan(1024 * 1024)
  await other.ok("volume", "rm", "odd")
  await skiff.ok("volume", "rm", "odd")
})

test("a second push sends what has changed, and one of no change nothing", async () => {
  await skiff.ok("volume", "create", "large")
  const path = await mountpoint("large")
  const bytes = spawnSync("head", ["-c", "60000000", "/dev/urandom"], { maxBuffer: 2 ** 28 }).stdout
  writeFileSync(join(path, "large"), bytes)
  give(path)
  const to = await nameFor("large")
  const [, all] = await push("large", to)
  expect(all).toBeGreaterThan(6)
  expect(await push("large", to)).toEqual([0, all])
  bytes[30_000_000] = (bytes[30_000_000] ?? 0) ^ 1
  writeFileSync(join(path, "large"), bytes)
  writeFileSync(join(path, "another"), "new")
  give(path)
  const [sent, now] = await push("large", to)
  expect(sent).toBeLessThanOrEqual(4)
  expect(now).toBeGreaterThan(6)
  expect(await other.ok("volume", "pull", "-q", to, "copy")).toBe("copy")
  expect(readFileSync(join(await mountpoint("copy", other), "large")).equals(bytes)).toBe(true)
  await other.ok("volume", "rm", "copy")
  await skiff.ok("volume", "rm", "large")
})

test("a snapshot is pushed, and what is paused for a push goes on", async () => {
  const to = await nameFor("snapshot")
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
  await skiff.ok("volume", "snapshot", "used", "s")
  await skiff.ok("exec", "user", "sh", "-c", "echo new > /v/f")
  await skiff.ok("volume", "push", "-q", "--snapshot", "s", "used", to)
  await other.ok("volume", "pull", "-q", to, "old")
  expect(readFileSync(join(await mountpoint("old", other), "f"), "utf8")).toBe("old\n")
  await skiff.ok("volume", "push", "-q", "--pause", "used", to)
  expect(await skiff.ok("exec", "user", "echo", "alive")).toBe("alive")
  expect(await skiff.ok("volume", "snapshot", "ls", "-q", "used")).toBe("s")
  await other.ok("volume", "pull", "-q", "--force", to, "old")
  expect(readFileSync(join(await mountpoint("old", other), "f"), "utf8")).toBe("new\n")
  await skiff.ok("rm", "-f", "-t", "0", "user")
  await skiff.ok("volume", "rm", "used")
  await other.ok("volume", "rm", "old")
})

test("a volume with files, and an image, are left alone", async () => {
  const to = await nameFor("refused")
  await skiff.ok("run", "--rm", "-v", "full:/v", "busybox", "touch", "/v/f")
  await skiff.ok("volume", "push", "-q", "full", to)
  const full = await skiff.run(["volume", "pull", to])
  expect([full.code, full.stderr]).toEqual([1, expect.stringContaining('volume "full" has files already')])
  expect(full.stderr).toContain("--force")
  const image = await skiff.run([
    "volume",
    "pull",
    `${(await sharedRegistry()).push("an/image:1", { layers: [] })}`,
    "x",
  ])
  expect([image.code, image.stderr]).toEqual([1, expect.stringContaining("is no volume")])
  const gone = await skiff.run(["volume", "pull", await nameFor("absent")])
  expect(gone.code).toBe(1)
  expect(await skiff.ok("volume", "ls", "-q")).toBe("full")
  await skiff.ok("volume", "rm", "full")
})

describe("killed at any step, the next one works, and nothing is left", () => {
  test("push", async () => {
    const to = await nameFor("killed-push")
    await skiff.ok("run", "--rm", "-v", "sent:/v", "busybox", "sh", "-c", "echo x > /v/f")
    await skiff.run(["volume", "push", "sent", to], { env: { SKIFF_CRASH_AT: "volume-push:parts-sent" } })
    expect(await push("sent", to)).toEqual([0, 1])
    await skiff.ok("volume", "rm", "sent")
  })

  test.each(["volume-pull:created", "restore:copied", "restore:exchanged"])("pull at %s", async (step) => {
    const to = await nameFor("killed-pull")
    await skiff.ok("run", "--rm", "-v", "sent:/v", "busybox", "sh", "-c", "echo x > /v/f")
    await skiff.ok("volume", "push", "-q", "sent", to)
    await other.run(["volume", "pull", to, "killed"], { env: { SKIFF_CRASH_AT: step } })
    const path = await mountpoint("killed", other)
    expect(readdirSync(path)).toEqual(step === "restore:exchanged" ? ["f"] : [])
    await other.ok("volume", "pull", "-q", "--force", to, "killed")
    expect(readFileSync(join(path, "f"), "utf8")).toBe("x\n")
    expect(readdirSync(dirname(path)).filter((name) => name.includes("aside"))).toEqual([])
    await other.ok("volume", "rm", "killed")
    await skiff.ok("volume", "rm", "sent")
  })
})

/** Without the top, which an import leaves as it is, and devices, which it does not make. */
const importable = (root: string) =>
  treeFacts(root).filter((line) => !line.startsWith(" ") && !line.startsWith("/device"))

test("export and import keep holes and links, and GNU tar reads what comes out", async () => {
  const path = await oddVolume("exported")
  const archive = join(skiff.home, "volume.tar")
  await skiff.ok("volume", "export", "-o", archive, "exported")
  expect(lstatSync(archive).size).toBeLessThan(4 * 1024 * 1024)
  const extracted = join(skiff.home, "extracted")
  mkdirSync(extracted)
  expect(spawnSync("tar", ["-xpf", archive, "-C", extracted]).status).toBe(0)
  expect(readFileSync(join(extracted, SPARSE.name)).equals(readFileSync(join(path, SPARSE.name)))).toBe(true)
  expect(lstatSync(join(extracted, "second-name")).ino).toBe(lstatSync(join(extracted, "directory/file")).ino)
  await skiff.ok("volume", "create", "imported")
  await skiff.ok("volume", "import", "imported", archive)
  const imported = await mountpoint("imported")
  expect(importable(imported)).toEqual(importable(path))
  expect(allocated(join(imported, SPARSE.name))).toBeLessThan(1024 * 1024)
  truncateSync(archive, 0)
  await skiff.ok("volume", "rm", "exported", "imported")
})
