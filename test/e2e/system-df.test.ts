/** What the store takes, equal to du; what prunes take of it, and what they tell. */
import { spawnSync } from "node:child_process"
import { expect, test } from "bun:test"
import { join } from "node:path"
import { openStore } from "../support/store.ts"
import { user } from "../support/user.ts"

const skiff = openStore()

/** Allocated bytes, counted by another program. Files of an ordinary user's store belong to others. */
function du(...paths: string[]): number {
  const words = user.rootless && user.prefix.length === 0 ? ["unshare", "-U", "--map-auto", "--map-root-user"] : []
  const [program = "du", ...args] = [...words, "du", "-s", "-B1", "-c", ...paths]
  const { stdout } = spawnSync(program, args, { encoding: "utf8" })
  return Number(stdout.trim().split("\n").at(-1)?.split("\t")[0])
}

async function rows(): Promise<Record<string, { size: number; reclaimable: number; total: number }>> {
  const text = await skiff.ok("system", "df", "--format", "{{.Type}}|{{.RawSize}}|{{.RawReclaimable}}|{{.Total}}")
  return Object.fromEntries(
    text.split("\n").map((line) => {
      const [type = "", ...numbers] = line.split("|")
      const [size = 0, reclaimable = 0, total = 0] = numbers.map(Number)
      return [type, { size, reclaimable, total }]
    }),
  )
}

const expectWithin1Percent = (value: number | undefined, of: number): void =>
  expect(Math.abs((value ?? 0) - of)).toBeLessThanOrEqual(of / 100)

test("images, containers and volumes take what du says, within one percent", async () => {
  const fill = "head -c 3000000 /dev/zero | tr '\\0' x"
  await skiff.ok(
    "run",
    "--name",
    "writer",
    "-v",
    "data:/data",
    "busybox",
    "sh",
    "-c",
    `${fill} > /own; ${fill} > /data/file; ${fill} >&2`,
  )
  const { Images: images, Containers: containers, "Local Volumes": volumes } = await rows()
  expect(images?.total).toBe(1)
  const [layers, blobs] = [join(skiff.root, "layers"), join(skiff.root, "blobs")]
  const own = (await skiff.ok("inspect", "--format", "{{.GraphDriver.Data.UpperDir}}", "writer")).trim()
  const log = join(skiff.root, "containers", (await skiff.inspect("writer")).Id)
  const writable = du(own)
  expectWithin1Percent(containers?.size, writable + du(log))
  expectWithin1Percent(images?.size, du(layers) - writable + du(blobs))
  const mountpoint = await skiff.ok("volume", "inspect", "--format", "{{.Mountpoint}}", "data")
  expectWithin1Percent(volumes?.size, du(mountpoint))
  expect(containers?.reclaimable).toBe(containers?.size ?? 0)
  expect([images?.reclaimable, volumes?.reclaimable]).toEqual([0, 0])
})

test("an image shares its base with another: counted once, and told apart by -v", async () => {
  const before = (await rows()).Images?.size ?? 0
  await skiff.ok("run", "--name", "base", "busybox", "sh", "-c", "head -c 2000000 /dev/zero | tr '\\0' y > /more")
  await skiff.ok("commit", "-q", "base", "derived")
  await skiff.ok("rm", "base")
  const grown = ((await rows()).Images?.size ?? 0) - before
  expect(grown).toBeGreaterThan(2_000_000)
  expect(grown).toBeLessThan(2_200_000)
  const { Images: images } = JSON.parse(await skiff.ok("system", "df", "-v", "--format", "json")) as {
    Images: { Repository: string; SharedSize: string; UniqueSize: string; Containers: string }[]
  }
  const derived = images.find(({ Repository }) => Repository.endsWith("derived"))
  expect(derived?.UniqueSize).toMatch(/^2(\.\d+)?MB$/)
  expect(derived?.SharedSize).not.toBe("0B")
  expect(derived?.Containers).toBe("0")
  const text = await skiff.ok("system", "df", "-v")
  for (const title of [
    "Images space usage:",
    "Containers space usage:",
    "Local Volumes space usage:",
    "Build cache usage:",
  ])
    expect(text).toContain(title)
  expect(await skiff.ok("system", "df")).toMatch(/^TYPE +TOTAL +ACTIVE +SIZE +RECLAIMABLE\nImages /)
})

test("system prune --dry-run tells what goes and keeps it; --force removes just that, and tells how much", async () => {
  await skiff.ok("run", "-d", "--name", "runner", "busybox", "sleep", "60")
  await skiff.ok(
    "run",
    "--name",
    "anonymous",
    "-v",
    "/anonymous",
    "busybox",
    "sh",
    "-c",
    "head -c 1000000 /dev/zero | tr '\\0' z > /anonymous/x",
  )
  const plan = await skiff.ok("system", "prune", "--all", "--volumes", "--dry-run")
  expect(plan).toContain("Would delete Containers:\n")
  expect(plan).toContain("untagged: derived:latest")
  expect((await skiff.ok("ps", "-aq")).split("\n")).toHaveLength(3)
  const told = await skiff.ok("system", "prune", "--all", "--volumes", "--force")
  expect(
    plan.replaceAll("Would delete", "Deleted").replace("Total reclaimable", "Total reclaimed").split("\n").length,
  ).toBe(told.split("\n").length)
  expect(told).toMatch(/\nTotal reclaimed space: [5-9](\.\d+)?MB$/)
  expect(await skiff.ok("ps", "-a", "--format", "{{.Names}}")).toBe("runner")
  // one with a name stays, and so does what a container uses
  expect(await skiff.ok("volume", "ls", "-q")).toBe("data")
  expect(await skiff.ok("images", "--format", "{{.Repository}}")).toContain("busybox")
  expect(await skiff.ok("images", "-q")).not.toContain("derived")
  await skiff.ok("rm", "-f", "runner")
})

test("prunes of one kind tell what they reclaimed, and ask by filters", async () => {
  await skiff.ok("run", "--name", "kept", "--label", "keep=yes", "busybox", "true")
  await skiff.ok("run", "--name", "dropped", "busybox", "sh", "-c", "head -c 1000000 /dev/zero | tr '\\0' q > /q")
  const told = await skiff.ok("container", "prune", "--force", "--filter", "label!=keep")
  expect(told).toMatch(/^Deleted Containers:\n[0-9a-f]{64}\n\nTotal reclaimed space: 1(\.\d+)?MB$/)
  expect(await skiff.ok("ps", "-a", "--format", "{{.Names}}")).toBe("kept")
  expect(await skiff.ok("volume", "prune", "--all", "--force")).toMatch(
    /^Deleted Volumes:\ndata\n\nTotal reclaimed space: 3(\.\d+)?MB$/,
  )
  await skiff.ok("commit", "-q", "--change", "LABEL stage=test", "kept", "labelled")
  expect(await skiff.ok("image", "prune", "--all", "--force", "--filter", "label=stage=other")).toBe(
    "Total reclaimed space: 0B",
  )
  expect(await skiff.ok("image", "prune", "--all", "--force", "--filter", "label=stage=test")).toContain(
    "untagged: labelled:latest",
  )
  expect(await skiff.ok("image", "ls", "--format", "{{.Repository}}")).toContain("busybox")
  await skiff.ok("rm", "kept")
})

test("nothing is removed without consent; contradictions are refused", async () => {
  await skiff.ok("run", "--name", "asked", "busybox", "true")
  const { code, stdout } = await skiff.run(["system", "prune"], { stdin: "n\n" })
  expect(code).toBe(1)
  expect(stdout).toContain("  - all stopped containers\n")
  expect(await skiff.ok("ps", "-a", "--format", "{{.Names}}")).toBe("asked")
  expect((await skiff.run(["system", "prune", "--external", "--all"])).code).not.toBe(0)
  expect((await skiff.run(["system", "prune", "--volumes", "--filter", "until=1h"])).code).not.toBe(0)
  expect(await skiff.ok("system", "prune", "--external", "--force")).toContain("Total reclaimed space: 0B")
  await skiff.ok("rm", "asked")
})
