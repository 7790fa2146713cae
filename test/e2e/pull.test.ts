/** Pulling from a real registry: names, platforms, media types, what is fetched and what is not. One user is enough. */
import { afterAll, beforeEach, describe, expect, test } from "bun:test"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { BUSYBOX, buildImage, type ImageSpec } from "../support/image.ts"
import { ACCOUNT, Registry } from "../support/registry.ts"
import { Skiff } from "../support/skiff.ts"
import { busyboxReference } from "../support/store.ts"
import { freePort } from "../support/wait.ts"

const skiff = new Skiff()
const registry = await Registry.start()
const blobFetches = async () =>
  (await registry.requests()).filter((line) => line.startsWith("GET") && line.includes("/blobs/"))

beforeEach(async () => {
  const images = [...new Set((await skiff.ok("images", "-q")).split("\n").filter(Boolean))]
  if (images.length > 0) await skiff.ok("rmi", "-f", ...images)
})
afterAll(async () => {
  await skiff.close()
  registry.stop()
}, 60_000)

const layer = (name: string, content = name) => ({ entries: [{ name, content }] })

const withConfig = async (toml: string, ...args: string[]) => {
  const file = join(skiff.home, "registries.conf")
  writeFileSync(file, toml, { mode: 0o644 })
  return skiff.run(args, { env: { CONTAINERS_REGISTRIES_CONF: file } })
}

describe("progress", () => {
  test("in a pipe is plain lines, one layer each, then digest and name", async () => {
    const name = registry.push("pull/lines:1", { layers: [layer("a"), layer("b")] })
    const { code, stdout, stderr } = await skiff.run(["pull", name])
    expect(code).toBe(0)
    expect(stdout).toMatch(/Digest: sha256:[0-9a-f]{64}/)
    expect(stdout).toContain(name)
    expect(`${stdout}${stderr}`).not.toContain("\u001b")
    expect(`${stdout}${stderr}`.match(/^[0-9a-f]{12}: Pull complete$/gm)).toHaveLength(2)
  })

  test("-q prints the full name alone", async () => {
    const name = registry.push("pull/quiet:1", { layers: [layer("a")] })
    expect(await skiff.run(["pull", "-q", name])).toEqual({ code: 0, stdout: `${name}\n`, stderr: "" })
  })
})

describe("names", () => {
  test("without a tag is latest", async () => {
    const name = registry.push("pull/latest:latest", { layers: [layer("a")] })
    expect(await skiff.ok("pull", "-q", name.replace(/:latest$/, ""))).toBe(name)
  })

  test("--all-tags brings each; --policy missing asks nobody, never refuses what is not here", async () => {
    const names = ["1", "2", "3"].map((tag) => registry.push(`pull/many:${tag}`, { layers: [layer(tag)] }))
    const repository = `${registry.host}/pull/many`
    expect((await skiff.ok("pull", "-q", "-a", repository)).split("\n").toSorted()).toEqual(names)
    expect((await skiff.run(["pull", "-a", `${repository}:1`])).stderr).toContain("tag can't be used")
    const asked = (await registry.requests()).length
    await skiff.ok("pull", "-q", "--policy", "missing", `${repository}:1`)
    expect((await registry.requests()).length).toBe(asked)
    const never = await skiff.run(["pull", "--policy", "never", `${repository}:4`])
    expect({ code: never.code, stderr: never.stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining("no such image"),
    })
  })

  test("by digest", async () => {
    const { reference, descriptor } = registry.pushBuilt("pull/digest:1", buildImage({ layers: [layer("a")] }))
    const name = `${reference.replace(/:1$/, "")}@${descriptor.digest}`
    expect(await skiff.ok("pull", "-q", name)).toBe(name)
    expect(await skiff.ok("images", "--digests", "--format", "{{.Digest}}")).toBe(descriptor.digest)
  })

  test("an unknown tag and an unknown repository: one error naming the registry", async () => {
    registry.push("pull/known:1", { layers: [layer("a")] })
    for (const name of ["pull/known:2", "pull/unknown"]) {
      const { code, stderr } = await skiff.run(["pull", `${registry.host}/${name}`])
      expect(code).toBe(1)
      expect(stderr).toContain(registry.host)
      expect(stderr).toMatch(/not found|no such image|unknown/i)
    }
  })

  test("an unreachable registry: refused within seconds", async () => {
    const host = `127.0.0.1:${await freePort()}`
    const { code, stderr } = await skiff.run(["pull", `${host}/a/b`], { timeoutMs: 15_000 })
    expect(code).toBe(1)
    expect(stderr).toContain(host)
  })
})

describe("platforms", () => {
  const variants: ImageSpec[] = [
    { ...BUSYBOX, layers: [...BUSYBOX.layers, layer("arch", "amd64")], architecture: "amd64" },
    { layers: [layer("arch", "arm64")], architecture: "arm64", variant: "v8" },
    { layers: [layer("arch", "arm/v7")], architecture: "arm", variant: "v7" },
  ]
  test("the host's by default, another by --platform", async () => {
    const name = registry.push("pull/platforms:1", ...variants)
    await skiff.ok("pull", "-q", name)
    expect(await skiff.ok("inspect", "-f", "{{.Architecture}}", name)).toBe(
      process.arch === "x64" ? "amd64" : process.arch,
    )
    await skiff.ok("pull", "-q", "--platform", "linux/arm64", name)
    expect(await skiff.ok("inspect", "-f", "{{.Architecture}}", name)).toBe("arm64")
    await skiff.ok("pull", "-q", "--platform", "linux/arm/v7", name)
    expect(await skiff.ok("inspect", "-f", "{{.Architecture}}/{{.Variant}}", name)).toBe("arm/v7")
  })

  test("one that is not offered: an error that lists those that are", async () => {
    const name = registry.push("pull/platforms:2", ...variants)
    const { code, stderr } = await skiff.run(["pull", "--platform", "linux/s390x", name])
    expect(code).toBe(1)
    expect(stderr).toContain("linux/arm64")
  })
})

describe("layers", () => {
  test("gzip, zstd and plain; whiteouts hide, opaque directories begin anew", async () => {
    const name = registry.push("pull/layers:1", {
      config: { Cmd: ["sh", "-c", "cd /t; find . | sort; cat same"] },
      layers: [
        ...BUSYBOX.layers,
        {
          entries: [
            { name: "t", type: "directory" },
            { name: "t/gone", content: "x" },
            { name: "t/same", content: "first\n" },
            { name: "t/dir", type: "directory" },
            { name: "t/dir/old", content: "x" },
            { name: "t/opaque", type: "directory" },
            { name: "t/opaque/old", content: "x" },
          ],
        },
        {
          compression: "zstd",
          entries: [
            { name: "t/.wh.gone" },
            { name: "t/.wh.dir" },
            { name: "t/opaque/.wh..wh..opq" },
            { name: "t/opaque/new", content: "x" },
          ],
        },
        { compression: "none", entries: [{ name: "t/same", content: "last\n" }] },
      ],
    })
    expect(await skiff.ok("run", "--rm", name)).toBe(".\n./opaque\n./opaque/new\n./same\nlast")
  })

  test("that are here already are not fetched again", async () => {
    const base = [layer("base-1"), layer("base-2")]
    const first = registry.push("pull/shared-a:1", { layers: base })
    const second = registry.push("pull/shared-b:1", { layers: [...base, layer("own")] })
    await skiff.ok("pull", "-q", first)
    const before = (await blobFetches()).length
    const { stdout, stderr } = await skiff.run(["pull", second])
    expect((await blobFetches()).length - before).toBe(2) // its configuration and the layer of its own
    expect(`${stdout}${stderr}`.match(/Already exists/g)).toHaveLength(2)
    const again = (await blobFetches()).length
    await skiff.ok("pull", second)
    expect((await blobFetches()).length).toBe(again)
  })

  test("an interrupted pull goes on where it stood", async () => {
    const big = Buffer.alloc(8 * 1024 * 1024, (Math.random() * 1e9).toString(36))
    for (let index = 0; index < big.length; index += 64) big.writeDoubleLE(Math.random(), index)
    const name = registry.push("pull/resume:1", {
      layers: [{ entries: [{ name: "big", content: big }], compression: "none" }],
    })
    const { code } = await skiff.run(["pull", name], { env: { SKIFF_CRASH_AT: "pull:layer-half" } })
    expect(code).toBe(137)
    await skiff.ok("pull", "-q", name)
    const total = (await blobFetches()).filter((line) => line.includes("pull/resume")).length
    expect(total).toBeGreaterThanOrEqual(2)
    expect(await skiff.ok("images", "-q")).not.toBe("")
  })
})

describe("credentials", () => {
  test("a private registry is closed without them, and names the remedy", async () => {
    const closed = await Registry.start({ private: true })
    try {
      const name = closed.push("private/a:1", { layers: [layer("a")] })
      const refused = await skiff.run(["pull", name])
      expect(refused.code).toBe(1)
      expect(refused.stderr).toMatch(/unauthorized|authentication|denied|credentials/i)

      const wrong = Buffer.from(`${ACCOUNT.user}:wrong`).toString("base64")
      const right = Buffer.from(`${ACCOUNT.user}:${ACCOUNT.password}`).toString("base64")
      mkdirSync(join(skiff.home, ".docker"), { recursive: true })
      const config = join(skiff.home, ".docker/config.json")
      writeFileSync(config, JSON.stringify({ auths: { [closed.host]: { auth: wrong } } }), { mode: 0o644 })
      expect((await skiff.run(["pull", name])).code).toBe(1)
      writeFileSync(config, JSON.stringify({ auths: { [closed.host]: { auth: right } } }))
      expect(await skiff.ok("pull", "-q", name)).toBe(name)
      await skiff.ok("rmi", name)

      writeFileSync(config, "{}")
      const file = join(skiff.home, "auth.json")
      writeFileSync(file, JSON.stringify({ auths: { [closed.host]: { auth: right } } }), { mode: 0o644 })
      expect((await skiff.run(["pull", "-q", name], { env: { REGISTRY_AUTH_FILE: file } })).code).toBe(0)
      await skiff.ok("rmi", name)

      // CVE-2021-41092: a helper that is not there must not end in a request with other credentials, or none
      writeFileSync(config, JSON.stringify({ credHelpers: { [closed.host]: "no-such-helper" } }))
      const before = (await closed.requests()).length
      const { code, stderr } = await skiff.run(["pull", name])
      expect(code).toBe(1)
      expect(stderr).toContain("docker-credential-no-such-helper")
      expect(
        (await closed.requests()).slice(before).filter((line) => line.includes("/manifests/")).length,
      ).toBeLessThanOrEqual(1)
      writeFileSync(config, "{}")
    } finally {
      closed.stop()
    }
  })
})

describe("registries.conf", () => {
  test("a short name is looked for where it says", async () => {
    registry.push("library/short:1", { layers: [layer("a")] })
    const search = `unqualified-search-registries = ["${registry.host}"]\n`
    expect((await withConfig(search, "pull", "-q", "library/short:1")).stdout).toBe(
      `${registry.host}/library/short:1\n`,
    )
  })

  test("aliases, location and mirror lead elsewhere; the name stays", async () => {
    registry.push("mirrored/thing:1", { layers: [layer("a")] })
    const mirror = `[[registry]]\nprefix = "example.test/app"\nlocation = "${registry.host}/mirrored"\n`
    expect((await withConfig(mirror, "pull", "-q", "example.test/app/thing:1")).stdout).toBe(
      "example.test/app/thing:1\n",
    )
    const absent = `127.0.0.1:${await freePort()}`
    const chain = `[[registry]]\nprefix = "two.test"\nlocation = "${registry.host}"\n[[registry.mirror]]\nlocation = "${absent}"\ninsecure = true\n`
    expect((await withConfig(chain, "pull", "-q", "two.test/mirrored/thing:1")).stdout).toBe(
      "two.test/mirrored/thing:1\n",
    )
    const alias = `[aliases]\n"thing" = "${registry.host}/mirrored/thing"\n`
    expect((await withConfig(alias, "pull", "-q", "thing:1")).stdout).toBe(`${registry.host}/mirrored/thing:1\n`)
  })

  test("an alias whose registry is not there gives docker's official image; one that answers has the last word", async () => {
    registry.push("library/astray:1", { layers: [layer("a")] })
    const docker = `[[registry]]\nprefix = "docker.io"\nlocation = "${registry.host}"\ninsecure = true\n`
    const absent = `${docker}[aliases]\n"astray" = "127.0.0.1:${await freePort()}/team/astray"\n`
    expect((await withConfig(absent, "pull", "-q", "astray:1")).stdout).toBe("docker.io/library/astray:1\n")
    const there = `${docker}[aliases]\n"astray" = "${registry.host}/team/astray"\n`
    const { code, stderr } = await withConfig(there, "pull", "-q", "astray:1")
    expect(code).toBe(1)
    expect(stderr).toContain("team/astray")
    expect(stderr).not.toContain("docker.io")
  })

  test("blocked is blocked", async () => {
    const blocked = `[[registry]]\nprefix = "${registry.host}"\nblocked = true\n`
    const before = (await registry.requests()).length
    const { code, stderr } = await withConfig(blocked, "pull", `${registry.host}/library/short:1`)
    expect(code).toBe(1)
    expect(stderr).toContain("blocked")
    expect((await registry.requests()).length).toBe(before)
  })
})

test("two pulls of one image at once both succeed", async () => {
  const name = await busyboxReference()
  const outcomes = await Promise.all([1, 2, 3].map(() => skiff.run(["pull", "-q", name])))
  expect(outcomes.map(({ code, stderr }) => ({ code, stderr }))).toEqual([1, 2, 3].map(() => ({ code: 0, stderr: "" })))
  expect(await skiff.ok("run", "--rm", name, "echo", "whole")).toBe("whole")
})
