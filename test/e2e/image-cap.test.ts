/** `[storage] max_size`: the longest unused images go, and none that anybody uses. One user is enough. */
import { afterAll, describe, expect, test } from "bun:test"
import { randomBytes } from "node:crypto"
import { DatabaseSync } from "node:sqlite"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { busyboxEntries } from "../support/image.ts"
import { sharedRegistry } from "../support/registry.ts"
import { Skiff } from "../support/skiff.ts"

const registry = await sharedRegistry()
const MEGABYTE = 1_000_000
/** Each of five megabytes that nothing else has; kept twice: compressed, and as files. */
const push = (name: string) =>
  registry.push(`cap/${name}:1`, {
    layers: [{ entries: [...busyboxEntries(), { name: "data", content: randomBytes(5 * MEGABYTE) }] }],
    config: { Cmd: ["sh"] },
  })

const skiff = new Skiff()
afterAll(() => skiff.close(), 60_000)
const settings = join(skiff.home, "skiff.toml")
const env = { SKIFF_CONFIG: settings }
const cap = (text: string) => writeFileSync(settings, `[storage]\n${text}\n`, { mode: 0o644 })
const ok = async (...args: string[]) => {
  const { code, stdout, stderr } = await skiff.run(args, { env })
  if (code !== 0) throw new Error(stderr)
  return stdout.trim()
}
const names = async () =>
  (await ok("images", "--format", "{{.Repository}}"))
    .split("\n")
    .flatMap((name) => /cap\/(\w+)$/.exec(name)?.[1] ?? [])
    .toSorted()

/** As if all that was done until now had been two minutes ago. */
function later(): void {
  const db = new DatabaseSync(join(skiff.root, "skiff.db"))
  db.exec("UPDATE images SET recorded_ms = recorded_ms - 120000")
  db.exec("UPDATE image_uses SET used_ms = used_ms - 120000")
  db.close()
}

describe("a cap on the image store", () => {
  const [a, b, c, d, e] = ["a", "b", "c", "d", "e"].map(push) as [string, string, string, string, string]

  test("takes the longest unused image when one more comes, and system df tells of it", async () => {
    cap('max_size = "33MB"')
    await ok("pull", "-q", a)
    await ok("pull", "-q", b)
    later()
    await ok("run", "--rm", "--network", "none", a, "true")
    later()
    await ok("pull", "-q", c)
    expect(await names()).toEqual(["a", "c"])
    const [images] = (await ok("system", "df", "--format", "json"))
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, string>)
    expect(images).toMatchObject({ Type: "Images", MaxSize: "33MiB" })
    const { stderr } = await skiff.run(["system", "df"], { env })
    expect(stderr).toContain("Images are kept within 33MiB")
    const { stdout } = await skiff.run(["system", "df", "-v"], { env })
    expect(stdout).toContain("Images space usage (at most 33MiB):")
  }, 60_000)

  test("takes none of the last minute, none of a container, and none that the settings keep", async () => {
    cap('max_size = "100MB"')
    await ok("pull", "-q", d)
    expect(await names()).toEqual(["a", "c", "d"])
    await ok("create", "--name", "user", "--network", "none", a, "true")
    later()
    cap(`max_size = "1MB"\nkeep = ["${c.replace(/:1$/, "")}:*"]`)
    const plan = await ok("system", "prune", "-f", "--dry-run")
    expect(plan).toContain(`untagged: ${d}`)
    expect(plan).not.toContain(c)
    expect(await names()).toEqual(["a", "c", "d"])
    await ok("image", "prune", "-f")
    expect(await names()).toEqual(["a", "c"])
    await ok("rm", "user")
  }, 60_000)

  test("killed in the middle of it, what has gone is gone whole, and the next prune frees its files", async () => {
    later()
    const killed = await skiff.run(["system", "prune", "-f"], { env: { ...env, SKIFF_CRASH_AT: "image:evicted" } })
    expect(killed.code).toBe(137)
    expect(await names()).toEqual(["c"])
    await ok("run", "--rm", "--network", "none", c, "true")
    cap('max_size = "100MB"')
    await ok("system", "prune", "-f")
    expect(await ok("system", "check")).not.toContain("damaged")
    const [images] = (await ok("system", "df", "--format", "json"))
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, string>)
    expect(Number.parseFloat(images?.Size ?? "")).toBeLessThan(20)
  }, 60_000)

  test("what a pull brings is there after it, however small the cap is", async () => {
    cap('max_size = "1MB"')
    await ok("pull", "-q", e)
    expect(await names()).toContain("e")
    expect(await ok("run", "--rm", "--network", "none", e, "echo", "runs")).toBe("runs")
  }, 60_000)

  test("settings that say something else are refused with the file's name", async () => {
    for (const [text, words] of [
      ['max_size = "much"', "max_size"],
      ["max_size = -1", "max_size"],
      ['keep = "debian"', "no list of names"],
      ["cap = 1", 'unknown key "storage.cap"'],
    ] as const) {
      cap(text)
      const { code, stderr } = await skiff.run(["images"], { env })
      expect({ text, code }).toEqual({ text, code: 1 })
      expect(stderr).toContain(words)
    }
    cap("")
    expect((await skiff.run(["images"], { env })).code).toBe(0)
  })
})
