/**
 * `skiff build --cache-to` and `--cache-from`: what one machine built, another does not build again.
 *
 * One user is enough.
 */
import { beforeAll, describe, expect, test } from "bun:test"
import { chownSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { makeContext } from "../support/build.ts"
import { Machine, registryName, stepsOf, type Steps } from "../support/machine.ts"
import { HostileRegistry } from "../support/hostile-registry.ts"
import { ACCOUNT, Registry, sharedRegistry } from "../support/registry.ts"
import type { Skiff } from "../support/skiff.ts"
import { busyboxReference, openStore } from "../support/store.ts"
import { user } from "../support/user.ts"
import { eventually } from "../support/wait.ts"

const skiff = openStore()
let base = ""
beforeAll(async () => void (base = await busyboxReference()))

const RANDOM = "cat /proc/sys/kernel/random/uuid"

/** Two stages; what comes out of them is never the same twice. */
const dockerfile = (): string => `FROM ${base} AS maker
RUN mkdir -p /out/d && ${RANDOM} > /out/id && ln /out/id /out/hard && ln -s id /out/soft && chmod 4711 /out/d
RUN --mount=type=cache,target=/kept ${RANDOM} >> /kept/all && cp /kept/all /out/kept
FROM ${base}
RUN echo x >> /etc/passwd && mkdir -m 1777 /sticky && rm -rf /var && mkfifo /fifo
COPY --from=maker /out /out
WORKDIR /work
COPY --link f /linked/f
RUN ${RANDOM} > /last
`

const copying = (how: string): string =>
  `FROM ${base} AS maker\nRUN ${how}\nFROM ${base}\nRUN echo lower > /lower\nCOPY --from=maker /made /made\nRUN ${RANDOM} > /id\n`

const caching = (more: string): string =>
  `FROM ${base}\nRUN --mount=type=cache,id=one,target=/c,uid=7,mode=0750 --mount=type=cache,target=/d ` +
  `ls -la /c && stat -c '%u %a' /c && echo ${more} >> /c/lines && touch /d/.wh.x && cat /c/lines\n`

async function build(on: Skiff, directory: string, ...flags: string[]): Promise<Steps> {
  return stepsOf(await on.run(["build", "--progress", "plain", ...flags, directory]))
}

/** The digest of what was built, and of its config. */
async function digests(on: Skiff, directory: string, ...flags: string[]): Promise<string> {
  const metadata = join(on.home, "metadata.json")
  await on.ok("build", "-q", "--metadata-file", metadata, ...flags, directory)
  return readFileSync(metadata, "utf8")
}

/** A directory of the user's. */
function makeDirectory(name: string): string {
  const directory = join(skiff.directory, name)
  mkdirSync(directory)
  chownSync(directory, user.uid, user.gid)
  return directory
}

describe("a cache in a registry", () => {
  test.each(["", ",compression=zstd", ",compression=uncompressed", ",image-manifest=false", ",oci-mediatypes=false"])(
    "mode=max%s gives an empty machine every step, and the same image",
    async (form) => {
      const ref = await registryName(`cache/max:${form.replaceAll(/\W/g, "") || "plain"}`)
      const directory = makeContext(skiff, { Dockerfile: dockerfile(), f: form })
      const first = await digests(
        skiff,
        directory,
        "--no-cache",
        "--cache-to",
        `type=registry,ref=${ref},mode=max${form}`,
      )
      await using other = new Machine()
      const steps = await build(other, directory, "--cache-from", `type=registry,ref=${ref}`)
      expect(steps.ran).toEqual([])
      expect(steps.cached).toHaveLength(7)
      expect(await digests(other, directory)).toBe(first)
      // what came is our own cache now
      expect((await build(other, directory)).ran).toEqual([])
    },
  )

  test("what another machine built comes back from it, and is pushed and run as if it were made here", async () => {
    const [ref, image] = [await registryName("cache/push:1"), await registryName("pushed/x:1")]
    const directory = makeContext(skiff, { Dockerfile: dockerfile(), f: "push" })
    const registry = await sharedRegistry()
    const before = (await registry.requests()).length
    await build(skiff, directory, "-t", image, "--push", "--cache-to", `type=registry,ref=${ref},mode=max`)
    // the image's layers are in the registry already: no second copy is sent
    const sent = (await registry.requests())
      .slice(before)
      .filter((line) => line.startsWith("PUT /v2/cache/push/blobs/"))
    expect(sent).toHaveLength(3 + 1)
    const script = "cat /out/id /out/hard /out/soft /out/kept /last; stat -c '%a %h' /out/d /sticky /out/id; ls -d /var"
    const shown = await skiff.run(["run", "--rm", "--network", "none", image, "sh", "-c", script])
    await using other = new Machine()
    expect((await build(other, directory, "-t", image, "--cache-from", `type=registry,ref=${ref}`)).ran).toEqual([])
    const again = await other.run(["run", "--rm", "--network", "none", image, "sh", "-c", script])
    expect(again).toEqual(shown)
    const pushed = await other.run(["push", image])
    expect(pushed.code).toBe(0)
    expect(await skiff.ok("image", "inspect", "-f", "{{.Id}}", image)).toBe(
      await other.ok("image", "inspect", "-f", "{{.Id}}", image),
    )
  })

  test("layers are fetched when a step needs them, and no others", async () => {
    const ref = await registryName("cache/lazy:1")
    const directory = makeContext(skiff, { Dockerfile: dockerfile(), f: "lazy" })
    await build(skiff, directory, "--no-cache", "--cache-to", `type=registry,ref=${ref},mode=max`)
    const registry = await sharedRegistry()
    await using other = new Machine()
    await other.ok("pull", "-q", base)
    const before = (await registry.requests()).length
    await build(other, directory, "--cache-from", `type=registry,ref=${ref}`)
    const requests = (await registry.requests())
      .slice(before)
      .filter((line) => line.startsWith("GET /v2/cache/lazy/blobs/"))
    // the map, and the layers of the last stage: none of the first, and nothing of the cache mount
    expect(new Set(requests).size).toBe(1 + 5)
  })

  test("mode=min has the steps of the image alone", async () => {
    const ref = await registryName("cache/min:1")
    const directory = makeContext(skiff, { Dockerfile: dockerfile(), f: "min" })
    await build(skiff, directory, "--cache-to", `type=registry,ref=${ref},mode=min`)
    await using other = new Machine()
    expect((await build(other, directory, "--cache-from", ref)).ran).toEqual([])
    await using third = new Machine()
    const maker = await build(third, directory, "--cache-from", ref, "--target", "maker")
    expect(maker.ran).toHaveLength(2)
  })

  test("a changed step runs, and is explained by what the cache has in its place", async () => {
    const ref = await registryName("cache/changed:1")
    const text = `FROM ${base}\nRUN ${RANDOM} > /a\nARG V\nRUN echo $V > /b\n`
    const directory = makeContext(skiff, { Dockerfile: text })
    await build(skiff, directory, "--build-arg", "V=1", "--cache-to", `type=registry,ref=${ref}`)
    await using other = new Machine()
    const flags = ["--cache-from", `type=registry,ref=${ref}`, "--build-arg", "V=2", "--explain-cache"]
    const steps = await build(other, directory, ...flags)
    expect(steps.cached.filter((step) => step.startsWith("RUN"))).toEqual([`RUN ${RANDOM} > /a`])
    expect(steps.ran).toEqual(["RUN echo 2 > /b"])
    expect(steps.told).toContain(`RUN echo 2 > /b: the variable V differs (compared with ${ref})`)
    expect(steps.told).toContain(`RUN ${RANDOM} > /a: ${ref}`)
  })

  test("a step whose inputs came out the same is taken, though they were made otherwise", async () => {
    const ref = await registryName("cache/contents:1")
    const directory = makeContext(skiff, { Dockerfile: copying("echo same > /made") })
    await build(skiff, directory, "--cache-to", `type=registry,ref=${ref},mode=max`)
    await using other = new Machine()
    writeFileSync(join(directory, "Dockerfile"), copying("printf 'same\\n' > /made"))
    const steps = await build(other, directory, "--cache-from", `type=registry,ref=${ref}`)
    expect(steps.ran).toEqual(["RUN printf 'same\\n' > /made"])
  })

  test("what was imported and not needed is handed on", async () => {
    const [one, two] = [await registryName("cache/one:1"), await registryName("cache/two:1")]
    const directory = makeContext(skiff, { Dockerfile: dockerfile(), f: "hand on" })
    await build(skiff, directory, "--no-cache", "--cache-to", `type=registry,ref=${one},mode=max`)
    await using other = new Machine()
    const flags = ["--cache-from", `type=registry,ref=${one}`, "--cache-to", `type=registry,ref=${two},mode=max`]
    expect((await build(other, directory, ...flags)).ran).toEqual([])
    await using third = new Machine()
    expect((await build(third, directory, "--target", "maker", "--cache-from", two)).ran).toEqual([])
    await using fourth = new Machine()
    const text = readFileSync(join(directory, "Dockerfile"), "utf8").replace("cp /kept/all", "cp -f /kept/all")
    writeFileSync(join(directory, "Dockerfile"), text)
    await build(fourth, directory, "--target", "maker", "-t", "kept", "--cache-from", two)
    // the RUN wrote into a cache that was not empty
    expect(await fourth.ok("run", "--rm", "--network", "none", "kept", "wc", "-l", "/out/kept")).toMatch(/^[2-9]/)
  })

  test("what was imported and is gone meanwhile is left out of what is handed on", async () => {
    const [one, two] = [makeDirectory("gone-one"), makeDirectory("gone-two")]
    const directory = makeContext(skiff, { Dockerfile: dockerfile(), f: "gone" })
    await build(skiff, directory, "--no-cache", "--cache-to", `type=local,dest=${one},mode=max`)
    const max = readdirSync(join(one, "blobs/sha256"))
    const needed = makeDirectory("gone-needed")
    await build(skiff, directory, "--cache-to", `type=local,dest=${needed},cache-mounts=false`)
    const kept = new Set(readdirSync(join(needed, "blobs/sha256")))
    const index = JSON.parse(readFileSync(join(one, "index.json"), "utf8")) as { manifests: { digest: string }[] }
    const manifest = readFileSync(join(one, "blobs", (index.manifests[0]?.digest ?? "").replace(":", "/")), "utf8")
    const { layers } = JSON.parse(manifest) as { layers: { digest: string }[] }
    const gone = max.filter((name) => !kept.has(name) && layers.some(({ digest }) => digest.endsWith(name)))
    expect(gone.length).toBeGreaterThan(0)
    for (const name of gone) rmSync(join(one, "blobs/sha256", name))
    await using other = new Machine()
    const flags = ["--cache-from", `type=local,src=${one}`, "--cache-to", `type=local,dest=${two},mode=max`]
    expect((await build(other, directory, ...flags)).ran).toEqual([])
    await using third = new Machine()
    expect((await build(third, directory, "--cache-from", `type=local,src=${two}`)).ran).toEqual([])
    expect(
      (await build(third, directory, "--target", "maker", "--cache-from", `type=local,src=${two}`)).ran,
    ).toHaveLength(2)
  })

  test("one that is not there, or does not answer, is a warning", async () => {
    const directory = makeContext(skiff, { Dockerfile: `FROM ${base}\nRUN echo absent\n` })
    const absent = await registryName("cache/absent:1")
    const sources = [
      `type=registry,ref=${absent}`,
      "type=registry,ref=127.0.0.1:1/x:1",
      `type=local,src=${directory}/none`,
    ]
    const flags = sources.flatMap((source) => ["--cache-from", source])
    const { code, stderr } = await skiff.run(["build", "--progress", "plain", ...flags, directory])
    expect(code).toBe(0)
    expect(stderr).toMatch(/3 warnings found/)
    for (const name of [absent, "127.0.0.1:1", `${directory}/none`])
      expect(stderr).toMatch(new RegExp(`CacheNotImported: .*${name}`))
  })

  test("one that cannot be written ends the build, unless ignore-error", async () => {
    const directory = makeContext(skiff, { Dockerfile: `FROM ${base}\nRUN echo unwritten\n` })
    const flag = "type=registry,ref=127.0.0.1:1/x:1"
    const failed = await skiff.run(["build", "-t", "kept-image", "--cache-to", flag, directory])
    expect(failed.code).toBe(1)
    // it is built all the same
    expect(await skiff.ok("images", "-q", "kept-image")).not.toBe("")
    const ignored = await skiff.run(["build", "--cache-to", `${flag},ignore-error=true`, directory])
    expect(ignored.code).toBe(0)
    expect(ignored.stderr).toContain("CacheNotExported")
  })

  test("where none can be written, or a name is wrong, is said before the work begins", async () => {
    const directory = makeContext(skiff, { Dockerfile: `FROM ${base}\nRUN echo too late\n`, file: "x" })
    const digest = `sha256:${"a".repeat(64)}`
    for (const target of [
      `type=local,dest=${directory}/file`,
      `type=registry,ref=${await registryName("x")}@${digest}`,
      "type=registry,ref=UPPER/x",
    ]) {
      const { code, stderr } = await skiff.run(["build", "--progress", "plain", "--cache-to", target, directory])
      expect(code).toBe(1)
      expect(stderr).not.toContain("RUN echo")
    }
  })

  test("one that asks for a password is a warning until it is given", async () => {
    const registry = await Registry.start({ private: true })
    try {
      const ref = `${registry.host}/cache/private:1`
      const directory = makeContext(skiff, { Dockerfile: `FROM ${base}\nRUN ${RANDOM} > /private\n` })
      const told = await skiff.run(["build", "--cache-from", ref, directory])
      expect(told.code).toBe(0)
      expect(told.stderr).toContain("CacheNotImported")
      expect((await skiff.run(["build", "--cache-to", ref, directory])).code).toBe(1)
      await using other = new Machine()
      for (const machine of [skiff, other])
        await machine.ok("login", "--username", ACCOUNT.user, "--password", ACCOUNT.password, registry.host)
      await build(skiff, directory, "--cache-to", ref)
      expect((await build(other, directory, "--cache-from", ref)).ran).toEqual([])
    } finally {
      registry.stop()
    }
  })

  test("a build of a base alone has an empty one", async () => {
    const ref = await registryName("cache/empty:1")
    const directory = makeContext(skiff, { Dockerfile: `FROM ${base}\nENV A=1\n` })
    await build(skiff, directory, "--cache-to", ref)
    expect((await build(skiff, directory, "--cache-from", ref)).told).toContain("it contains no cache")
  })

  test("two builds that import at the same time fetch a step once", async () => {
    const ref = await registryName("cache/both:1")
    const directory = makeContext(skiff, { Dockerfile: dockerfile(), f: "both" })
    await build(skiff, directory, "--cache-to", `type=registry,ref=${ref},mode=max`)
    await using other = new Machine()
    await other.ok("pull", "-q", base)
    const both = await Promise.all([1, 2].map(() => build(other, directory, "--cache-from", ref)))
    expect(both.map(({ ran }) => ran)).toEqual([[], []])
    const uses = JSON.parse(await other.ok("builder", "du", "--json")) as unknown[]
    expect(uses).toHaveLength(5)
  })

  test("Ctrl-C while it is written ends in order", async () => {
    await using registry = await HostileRegistry.start()
    // takes what is asked, and never answers
    registry.answer("/v2/cache/slow/blobs/uploads/", () => {})
    const directory = makeContext(skiff, { Dockerfile: `FROM ${base}\nRUN ${RANDOM} > /slow\n` })
    const child = skiff.spawn(["build", "--cache-to", `type=registry,ref=${registry.host}/cache/slow:1`, directory])
    await eventually(() => expect(registry.asked.some(({ method }) => method === "POST")).toBe(true), 10_000)
    const ended = new Promise((resolve) => child.on("close", resolve))
    child.kill("SIGINT")
    expect(await ended).not.toBe(0)
    await skiff.leavesNothing()
  })

  test("podman's form: a repository alone", async () => {
    const repository = await registryName("cache/podman")
    const directory = makeContext(skiff, { Dockerfile: `FROM ${base}\nRUN ${RANDOM} > /a\n` })
    await build(skiff, directory, "--cache-to", repository)
    await using other = new Machine()
    expect((await build(other, directory, "--cache-from", repository)).ran).toEqual([])
  })
})

describe("a cache in a directory", () => {
  test("holds several tags; what one of them says is whole at any time", async () => {
    const cache = makeDirectory("directory-cache")
    const one = makeContext(skiff, { Dockerfile: `FROM ${base}\nRUN ${RANDOM} > /one\n` })
    const two = makeContext(skiff, { Dockerfile: `FROM ${base}\nRUN ${RANDOM} > /two\n` })
    await build(skiff, one, "--cache-to", `type=local,dest=${cache}`)
    await build(skiff, two, "--cache-to", `type=local,dest=${cache},tag=two`)
    await using other = new Machine()
    expect((await build(other, one, "--cache-from", `type=local,src=${cache}`)).ran).toEqual([])
    expect((await build(other, two, "--cache-from", `type=local,src=${cache},tag=two`)).ran).toEqual([])
    // the first that has a step gives it
    await using both = new Machine()
    const sources = [`type=local,src=${cache}`, `type=local,src=${cache},tag=two`].flatMap((each) => [
      "--cache-from",
      each,
    ])
    for (const directory of [one, two]) expect((await build(both, directory, ...sources)).ran).toEqual([])
    await using third = new Machine()
    const index = JSON.parse(readFileSync(join(cache, "index.json"), "utf8")) as { manifests: { digest: string }[] }
    const digest = index.manifests[0]?.digest ?? ""
    expect((await build(third, one, "--cache-from", `type=local,src=${cache},digest=${digest}`)).ran).toEqual([])
  })

  test.each(["cache:layers-sent", "cache:config-sent", "cache:published", "build:layer-read"])(
    "a build killed at %s leaves the cache that was there, and the next one writes it",
    async (point) => {
      const cache = makeDirectory(`killed-${point.replace(":", "-")}`)
      const directory = makeContext(skiff, { Dockerfile: `FROM ${base}\nRUN echo ${point}; ${RANDOM} > /x\n` })
      const target = `type=local,dest=${cache}`
      const other = makeContext(skiff, { Dockerfile: `FROM ${base}\nRUN echo before ${point}; ${RANDOM} > /y\n` })
      await build(skiff, other, "--cache-to", target)
      const killed = await skiff.run(["build", "--cache-to", target, directory], { env: { SKIFF_CRASH_AT: point } })
      expect(killed.code).toBe(137)
      await using second = new Machine()
      const published = point === "cache:published"
      expect(
        (await build(second, published ? directory : other, "--cache-from", `type=local,src=${cache}`)).ran,
      ).toEqual([])
      await build(skiff, directory, "--cache-to", target)
      await using third = new Machine()
      expect((await build(third, directory, "--cache-from", `type=local,src=${cache}`)).ran).toEqual([])
      expect(readdirSync(join(cache, "blobs/sha256")).filter((name) => name.startsWith("."))).toEqual([])
    },
  )

  test.each(["build:committed", "build:recorded", "build:layers-named"])(
    "a build killed at %s while it imports is taken up by the next one",
    async (point) => {
      const cache = makeDirectory(`import-${point.replace(":", "-")}`)
      const directory = makeContext(skiff, { Dockerfile: dockerfile(), f: point })
      const first = await digests(skiff, directory, "--no-cache", "--cache-to", `type=local,dest=${cache},mode=max`)
      await using other = new Machine()
      const flags = ["build", "--cache-from", `type=local,src=${cache}`, directory]
      expect((await other.run(flags, { env: { SKIFF_CRASH_AT: point } })).code).toBe(137)
      expect(await digests(other, directory, "--cache-from", `type=local,src=${cache}`)).toBe(first)
      expect((await build(other, directory)).ran).toEqual([])
      await other.leavesNothing(10_000)
    },
  )
})

describe("a cache inside the image", () => {
  test("comes with it by push; without the flag the image is the same as ever", async () => {
    const image = await registryName("inline/x:1")
    const directory = makeContext(skiff, { Dockerfile: dockerfile(), f: "inline" })
    const plain = await digests(skiff, directory)
    await build(skiff, directory, "-t", image, "--push", "--cache-to", "type=inline")
    expect(await digests(skiff, directory)).toBe(plain)
    await using other = new Machine()
    const steps = await build(other, directory, "--cache-from", image)
    expect(steps.ran).toEqual([])
    expect(await digests(other, directory)).toBe(plain)
    expect(await digests(other, directory, "--cache-to", "type=inline")).not.toBe(plain)
  })

  test("is not in what is built on the image", async () => {
    const image = await registryName("inline/base:1")
    const lower = makeContext(skiff, { Dockerfile: `FROM ${base}\nRUN echo lower > /lower\n` })
    await build(skiff, lower, "-t", image, "--push", "--cache-to", "type=inline")
    const upper = makeContext(skiff, { Dockerfile: `FROM ${image}\nRUN echo upper\n` })
    const archive = join(skiff.home, "upper.tar")
    await build(skiff, upper, "-o", `type=docker,dest=${archive}`)
    expect(readFileSync(archive, "latin1")).not.toContain("skiff.build-cache")
  })

  test("an image without one is no error", async () => {
    const directory = makeContext(skiff, { Dockerfile: `FROM ${base}\nRUN echo no cache\n` })
    const { told } = await build(skiff, directory, "--cache-from", base)
    expect(told).toContain("it contains no cache")
  })

  test("--squash leaves nothing to hold it", async () => {
    const directory = makeContext(skiff, { Dockerfile: `FROM ${base}\nRUN echo squashed\n` })
    const { code, stderr } = await skiff.run(["build", "--squash", "--cache-to", "type=inline", directory])
    expect(code).toBe(1)
    expect(stderr).toContain("a squashed image cannot contain an inline cache")
  })
})

describe("what RUN --mount=type=cache keeps", () => {
  test("goes along, into caches that are empty", async () => {
    const ref = await registryName("cache/mounts:1")
    const directory = makeContext(skiff, { Dockerfile: caching("first") })
    await build(skiff, directory, "--cache-to", `type=registry,ref=${ref}`)
    writeFileSync(join(directory, "Dockerfile"), caching("second"))
    await using other = new Machine()
    const { told } = await build(other, directory, "--cache-from", `type=registry,ref=${ref}`)
    expect(told).toMatch(/ 7 750\n/)
    expect(told).toMatch(/ first\n.* second\n/)
    // a cache that holds something stays as it is
    writeFileSync(join(directory, "Dockerfile"), caching("third"))
    expect((await build(other, directory, "--cache-from", `type=registry,ref=${ref}`)).told).toMatch(
      / first\n.* second\n.* third\n/,
    )
  })

  test("does not with cache-mounts=false", async () => {
    const ref = await registryName("cache/no-mounts:1")
    const directory = makeContext(skiff, { Dockerfile: caching("alone") })
    await build(skiff, directory, "--cache-to", `type=registry,ref=${ref},cache-mounts=false`)
    writeFileSync(join(directory, "Dockerfile"), caching("again"))
    await using other = new Machine()
    expect((await build(other, directory, "--cache-from", `type=registry,ref=${ref}`)).told).not.toContain(" alone\n")
  })
})
