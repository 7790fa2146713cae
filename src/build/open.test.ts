import { describe, expect, test } from "bun:test"
import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdtempSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { CRASH_POINTS } from "../base/crash-point.ts"
import type { ImageManifest } from "../spec/oci-image.ts"
import { BuildLab, missing } from "./build.suite.ts"

/** Waits for the two others. */
const meet = (n: number): string => `: > /c/${n}; until [ -e /c/1 ] && [ -e /c/2 ] && [ -e /c/3 ]; do sleep 0.05; done`
const ALONE = "[ ! -e /c/busy ] || exit 9; : > /c/busy; sleep 0.2; rm /c/busy"

const onKernel = missing === undefined ? describe : describe.skip

onKernel("the cache", () => {
  test("the second build runs nothing and gives the same image", async () => {
    await using lab = await BuildLab.open()
    const text = "FROM base\nRUN echo a > /a\nENV X=1\nRUN echo $X > /x\nLABEL l=v"
    const first = await lab.build(text, { tags: ["t"] })
    lab.reopen()
    const second = await lab.build(text, { tags: ["t"] })
    expect(first.ran).toEqual(["[2/3] RUN echo a > /a", "[3/3] RUN echo 1 > /x"])
    expect(second.ran).toEqual([])
    expect(second.cached).toHaveLength(3)
    expect(second.images[0]?.id).toBe(first.images[0]?.id ?? ("" as never))
    expect(second.digest).toBe(first.digest)
    expect(lab.leftovers()).toEqual([])
  })

  test("a changed step is built anew with all that stands on it; the reason names the first difference", async () => {
    await using lab = await BuildLab.open()
    await lab.build("FROM base\nENV A=1\nRUN echo one > /a\nRUN echo two > /b")
    const changed = await lab.build("FROM base\nENV A=2\nRUN echo one > /a\nRUN echo two > /b")
    expect(changed.ran).toHaveLength(2)
    expect(changed.reasons).toEqual({
      "[2/3] RUN echo one > /a": "the variable A differs",
      "[3/3] RUN echo two > /b": "the step before it differs",
    })
    const other = await lab.build("FROM base\nENV A=2\nRUN echo uno > /a")
    expect(other.reasons).toEqual({ "[2/2] RUN echo uno > /a": "this step was not built before" })
  })

  test("of changed files the reason names the first", async () => {
    await using lab = await BuildLab.open()
    for (const name of ["a", "b", "c"]) lab.write(name, `${name}1`)
    await lab.build("FROM base\nCOPY . /ctx/")
    lab.write("b", "b2")
    lab.write("c", "c2")
    const changed = await lab.build("FROM base\nCOPY . /ctx/")
    expect(changed.reasons).toEqual({ "[2/2] COPY . /ctx/": 'the files of the context differ: "/ctx/b"' })
    expect(await lab.read(changed, "ctx/b")).toBe("b2")
  })

  test("--no-cache runs all again; its results are what later builds find", async () => {
    await using lab = await BuildLab.open()
    const text = "FROM base\nRUN cat /proc/sys/kernel/random/uuid > /id\nRUN cp /id /copy"
    const first = await lab.read(await lab.build(text), "copy")
    const anew = await lab.build(text, { noCache: true })
    expect(anew.ran).toHaveLength(2)
    expect(anew.reasons).toMatchObject({ "[3/3] RUN cp /id /copy": "the cache is disabled" })
    const second = await lab.read(anew, "copy")
    expect(second).not.toBe(first)
    const third = await lab.build(text)
    expect(third.ran).toEqual([])
    expect(await lab.read(third, "copy")).toBe(second)
  })

  test("--no-cache of one stage runs what stands on it too", async () => {
    await using lab = await BuildLab.open()
    const text = "FROM base AS a\nRUN cat /proc/sys/kernel/random/uuid > /id\nFROM a\nRUN cp /id /copy"
    const first = await lab.build(text)
    const anew = await lab.build(text, { noCache: ["a"] })
    expect(anew.ran).toHaveLength(2)
    expect(await lab.read(anew, "copy")).not.toBe(await lab.read(first, "copy"))
  })

  test("stages that the target does not need never run", async () => {
    await using lab = await BuildLab.open()
    const built = await lab.build("FROM base AS unused\nRUN false\nFROM base\nRUN true")
    expect(built.ran).toEqual(["[stage-1 2/2] RUN true"])
  })

  test("equal steps of one build are done once", async () => {
    await using lab = await BuildLab.open()
    const step = "RUN cat /proc/sys/kernel/random/uuid > /id"
    const built = await lab.build(
      `FROM base AS a\n${step}\nFROM base AS b\n${step}\nFROM base\n` +
        "RUN --mount=type=bind,from=a,target=/mnt/a --mount=type=bind,from=b,target=/mnt/b cmp /mnt/a/id /mnt/b/id",
    )
    expect(built.ran).toHaveLength(2)
  })

  test("two builds at the same time do an equal step once", async () => {
    await using lab = await BuildLab.open()
    const text = "FROM base\nRUN sleep 0.3; cat /proc/sys/kernel/random/uuid > /id"
    const ids = await Promise.all([1, 2, 3].map(() => buildApart(lab, text)))
    expect(new Set(ids.map(({ stdout }) => stdout)).size).toBe(1)
    expect(ids.map(({ code }) => code)).toEqual([0, 0, 0])
    expect(lab.leftovers()).toEqual([])
  })

  test("a base that differs in its config alone is another base", async () => {
    await using lab = await BuildLab.open()
    for (const [name, health] of [
      ["one", "HEALTHCHECK CMD true"],
      ["two", "HEALTHCHECK CMD false"],
    ])
      await lab.build(`FROM base\n${health}`, { tags: [name ?? ""] })
    await lab.build("FROM one\nRUN echo x > /x")
    expect((await lab.build("FROM two\nRUN echo x > /x")).ran).toHaveLength(1)
  })

  test("it keeps its layers when the images are gone, and prune frees them", async () => {
    await using lab = await BuildLab.open()
    const text = "FROM base\nRUN head -c 100000 /dev/zero > /zeros\nRUN rm /zeros"
    await lab.build(text, { tags: ["t"] })
    const images = await lab.engine.images()
    await images.remove("t")
    await images.prune({ all: true })
    expect(images.list()).toEqual([])
    const builds = await lab.engine.builds()
    const use = await builds.diskUsage()
    expect(use.map(({ description, uses, inUse }) => ({ description, uses, inUse }))).toEqual([
      { description: "RUN head -c 100000 /dev/zero > /zeros", uses: 0, inUse: false },
      { description: "RUN rm /zeros", uses: 0, inUse: false },
    ])
    expect(use[0]?.sizeBytes).toBeGreaterThan(100_000)
    expect(await builds.prune({ olderThanMs: 60_000 })).toEqual({ ids: [], reclaimedBytes: 0 })
    const pruned = await builds.prune({})
    expect(pruned.ids).toHaveLength(2)
    expect(pruned.reclaimedBytes).toBeGreaterThan(100_000)
    expect(await builds.diskUsage()).toEqual([])
  })

  test("prune leaves what images have, unless all is asked for; then the images still work", async () => {
    await using lab = await BuildLab.open()
    const built = await lab.build("FROM base\nRUN echo x > /x", { tags: ["t"] })
    const builds = await lab.engine.builds()
    expect((await builds.prune({})).ids).toEqual([])
    expect((await builds.prune({ all: true })).ids).toHaveLength(1)
    expect(await lab.read(built, "x")).toBe("x\n")
  })

  test("what cache mounts keep is listed and pruned with it", async () => {
    await using lab = await BuildLab.open()
    await lab.build("FROM base\nRUN --mount=type=cache,target=/c head -c 5000 /dev/zero > /c/kept")
    const builds = await lab.engine.builds()
    const mount = (await builds.diskUsage()).find(({ type }) => type === "exec.cachemount")
    expect(mount).toMatchObject({ description: "/c", inUse: false })
    expect(mount?.sizeBytes).toBeGreaterThan(4999)
    expect((await builds.prune({ all: true })).ids).toContain(mount?.id ?? "")
    expect(await builds.diskUsage()).toEqual([])
  })

  test("prune until so many bytes are left takes the oldest first", async () => {
    await using lab = await BuildLab.open()
    for (const name of ["a", "b", "c"]) await lab.build(`FROM base\nRUN head -c 100000 /dev/zero > /${name}`)
    await (await lab.engine.images()).prune({ all: true })
    const builds = await lab.engine.builds()
    await builds.prune({ maxUsedBytes: 250_000 })
    expect((await builds.diskUsage()).map(({ description }) => description.at(-1))).toEqual(["b", "c"])
  })
})

onKernel("a build", () => {
  test("runs independent stages at once, and one after the other with one job", async () => {
    await using lab = await BuildLab.open()
    const mounts = [1, 2, 3].map((n) => `--mount=type=bind,from=s${n},target=/mnt/${n}`).join(" ")
    const stages = (step: (n: number) => string): string =>
      `${[1, 2, 3].map((n) => `FROM base AS s${n}\nRUN --mount=type=cache,target=/c ${step(n)}; echo ${n} > /n`).join("\n")}
FROM base\nRUN ${mounts} cat /mnt/*/n > /all`
    expect(await lab.read(await lab.build(stages(meet)), "all")).toBe("1\n2\n3\n")
    expect(
      await lab.read(
        await lab.build(
          stages(() => ALONE),
          { jobs: 1 },
        ),
        "all",
      ),
    ).toBe("1\n2\n3\n")
  })

  test("tells a failing step with its lines and exit code, keeps what was done, and leaves nothing", async () => {
    await using lab = await BuildLab.open()
    const failing = lab.build("FROM base\nRUN echo done > /a\nRUN exit 7")
    await expect(failing).rejects.toMatchObject({
      data: { programExit: 7 },
      message: expect.stringContaining("Dockerfile:3"),
    })
    expect(lab.leftovers()).toEqual([])
    expect((await lab.build("FROM base\nRUN echo done > /a\nRUN true")).ran).toEqual(["[3/3] RUN true"])
  })

  test("stops when it is told to", async () => {
    await using lab = await BuildLab.open()
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 300)
    await expect(lab.build("FROM base\nRUN sleep 1000", { signal: stop.signal })).rejects.toMatchObject({
      code: "Cancelled",
    })
    expect(lab.leftovers()).toEqual([])
  })

  test("writes the history and the times that buildkit writes", async () => {
    await using lab = await BuildLab.open()
    const built = await lab.build('FROM base\nENV A=1\nRUN echo x > /x\nCMD ["sh"]')
    const images = await lab.engine.images()
    const config = await images.config(await lab.image(built))
    const [base, env, run, cmd] = config.history ?? []
    expect(config.history).toHaveLength(4)
    expect(base?.created).toBeDefined()
    expect(env).toMatchObject({ created_by: "ENV A=1", comment: "buildkit.dockerfile.v0", empty_layer: true })
    expect(run).toMatchObject({ created_by: "RUN /bin/sh -c echo x > /x # buildkit" })
    expect(run?.empty_layer).toBeUndefined()
    // what has no layer has the time of the layer before it; the first lines, that of the first new one
    expect([env?.created, cmd?.created]).toEqual([run?.created ?? "", run?.created ?? ""])
    expect(config.created).toBe(run?.created ?? "")
    expect(config.rootfs.diff_ids).toHaveLength(2)
  })

  test("with an epoch gives the same digest in another store at another time", async () => {
    const text = "FROM base\nRUN echo x > /x; mkdir -p /etc/d; ln -s x /y\nRUN rm /x"
    const digests: unknown[] = []
    for (const _ of [1, 2]) {
      await using lab = await BuildLab.open()
      const built = await lab.build(text, { epoch: 1_700_000_000, rewriteTimes: true })
      const config = await (await lab.engine.images()).config(await lab.image(built))
      expect(config.created).toBe("2023-11-14T22:13:20Z")
      digests.push(built.digest)
      await Bun.sleep(1100)
    }
    expect(digests[1]).toBe(digests[0])
  })

  test("--squash makes one layer of all that is new", async () => {
    await using lab = await BuildLab.open()
    const text = "FROM base\nRUN head -c 100000 /dev/zero > /zeros\nRUN rm /zeros; echo kept > /kept"
    const built = await lab.build(text, { squash: true })
    const images = await lab.engine.images()
    const config = await images.config(await lab.image(built))
    expect(config.rootfs.diff_ids).toHaveLength(2)
    expect(config.history?.filter((entry) => !entry.empty_layer)).toHaveLength(2)
    const base = images.get("base").sizeBytes
    expect((built.images[0]?.sizeBytes ?? 0) - base).toBe("kept\n".length)
    expect(await lab.read(built, "kept")).toBe("kept\n")
    expect(existsSync(join(lab.directory, "zeros"))).toBe(false)
  })

  test("--squash-all makes one layer of all, and it runs as before", async () => {
    await using lab = await BuildLab.open()
    const built = await lab.build("FROM base\nRUN rm -rf /gone; echo kept > /kept", { squash: "all" })
    const config = await (await lab.engine.images()).config(await lab.image(built))
    expect(config.rootfs.diff_ids).toHaveLength(1)
    expect(config.history?.filter((entry) => !entry.empty_layer)).toHaveLength(1)
    expect(config.history?.at(-1)?.created_by).toBe("skiff build --squash-all")
    expect(await lab.read(built, "kept")).toBe("kept\n")
    expect(await lab.read(built, "bin/busybox")).not.toBe("")
  })

  test("its layers are blobs like others, made when they are asked for", async () => {
    await using lab = await BuildLab.open()
    const built = await lab.build("FROM base\nRUN echo x > /x", { tags: ["t"] })
    const path = join(lab.directory, "image.tar")
    await lab.build("FROM base\nRUN echo x > /x", {
      tags: ["t"],
      outputs: [{ type: "oci", path, form: { compression: "none" } }],
    })
    const manifest = await (await lab.engine.images()).manifest(await lab.image(built))
    const layer = manifest.layers[1]
    expect(layer?.mediaType).toBe("application/vnd.oci.image.layer.v1.tar")
    const extracted = Bun.spawnSync(["tar", "xOf", path, `blobs/sha256/${layer?.digest.slice(7)}`]).stdout
    expect(`sha256:${createHash("sha256").update(extracted).digest("hex")}`).toBe(layer?.digest ?? "")
    expect(extracted.length).toBe(layer?.size ?? 0)
  })

  test.each([undefined, "native"] as const)(
    "tells what each line costs, and what of it a later one takes away: %s",
    async (driver) => {
      await using lab = await BuildLab.open(driver)
      const lines = [
        "RUN head -c 1000 /dev/zero > /a; mkdir /d; head -c 500 /dev/zero > /d/b; echo x > /kept",
        "RUN rm -r /d",
        "RUN echo new > /a",
        "RUN rm /etc/passwd",
      ]
      for (const _ of ["built", "cached"]) {
        const { costs } = await lab.build(["FROM base", ...lines].join("\n"))
        expect(costs.map(({ bytes, wastedBytes, source }) => [source?.start, bytes, wastedBytes])).toEqual([
          [2, 1502, 1500],
          [3, 0, 0],
          [4, 4, 0],
          [5, 0, 0],
        ])
      }
    },
  )

  test("tells the line of a COPY whose file is missing", async () => {
    await using lab = await BuildLab.open()
    await expect(lab.build("FROM base\nCOPY nope /")).rejects.toMatchObject({
      code: "NotFound",
      message: expect.stringContaining("COPY nope /"),
    })
  })

  test("an OCI archive has its layers compressed as asked for, gzip else; the image's id stays", async () => {
    await using lab = await BuildLab.open()
    for (const [compression, type] of [
      [undefined, "tar+gzip"],
      ["zstd", "tar+zstd"],
    ] as const) {
      const path = join(lab.directory, "image.tar")
      const output = { type: "oci" as const, path, ...(compression ? { form: { compression } } : {}) }
      const built = await lab.build("FROM base\nRUN echo x > /x", { tags: ["t"], outputs: [output] })
      const read = (name: string): string => Bun.spawnSync(["tar", "xOf", path, name]).stdout.toString()
      const blob = (digest: string): never => JSON.parse(read(`blobs/sha256/${digest.slice(7)}`)) as never
      const index = JSON.parse(read("index.json")) as { manifests: { digest: string }[] }
      const manifest: ImageManifest = blob(index.manifests[0]?.digest ?? "")
      expect(manifest.layers[1]?.mediaType).toEndWith(type)
      expect(manifest.config.digest).toBe(built.images[0]?.id ?? ("" as never))
    }
  })

  test("what no result could be made into is refused before the work", async () => {
    await using lab = await BuildLab.open()
    await expect(lab.build("FROM base\nRUN true", { outputs: [{ type: "registry" }] })).rejects.toThrow("tag is needed")
    const platforms = ["amd64", "arm64"].map((architecture) => ({ os: "linux", architecture }))
    await expect(
      lab.build("FROM scratch", { platforms, outputs: [{ type: "docker", path: join(lab.directory, "x") }] }),
    ).rejects.toMatchObject({ code: "Unsupported" })
  })

  test("without any output only the cache has it", async () => {
    await using lab = await BuildLab.open()
    expect(await lab.build("FROM base\nRUN echo x > /x", { outputs: [] })).toMatchObject({ images: [] })
    expect((await lab.engine.images()).list()).toHaveLength(1)
    expect((await lab.build("FROM base\nRUN echo x > /x")).ran).toEqual([])
  })

  test("files leave as they are, owned by who asked, into a directory or a tar", async () => {
    await using lab = await BuildLab.open()
    const directory = mkdtempSync(join(lab.directory, "out-"))
    const tar = join(lab.directory, "out.tar")
    await lab.build("FROM base\nRUN echo x > /x; chown 5:6 /x; chmod 640 /x", {
      outputs: [
        { type: "local", path: directory },
        { type: "tar", path: tar },
      ],
    })
    const stat = statSync(join(directory, "x"))
    expect([stat.uid, stat.gid, stat.mode & 0o777]).toEqual([0, 0, 0o640])
    expect(Bun.spawnSync(["tar", "tvf", tar, "--numeric-owner", "x"]).stdout.toString()).toContain("5/6")
    expect((await lab.engine.images()).list()).toHaveLength(1)
  })

  test("a Dockerfile or ignore file that is a link never shows a file of the host", async () => {
    await using lab = await BuildLab.open()
    const { symlinkSync } = await import("node:fs")
    symlinkSync("/etc/hostname", join(lab.context, "Dockerfile"))
    const error = await lab.build("", { dockerfile: undefined }).then(
      () => undefined,
      (thrown: Error) => thrown,
    )
    expect(error?.message).toContain("no such file")
    expect(error?.message).not.toContain(readFileSync("/etc/hostname", "utf8").trim())
  })
})

onKernel("after kill -9", () => {
  const text = "FROM base\nRUN echo a > /a\nRUN echo b > /b"
  const points = CRASH_POINTS.filter((point) => point.startsWith("build:"))
  test.each(points)("at %s the next build works, and nothing is left", async (point) => {
    await using lab = await BuildLab.open()
    const killed = await buildApart(lab, text, { SKIFF_CRASH_AT: point })
    expect(killed.signal).toBe("SIGKILL")
    const built = await lab.build(text, { tags: ["once"] })
    expect(await lab.read(built, "b")).toBe("b\n")
    expect(lab.leftovers()).toEqual([])
    const whole = await lab.build(text)
    expect(whole.ran).toEqual([])
    const images = await lab.engine.images()
    const builds = await lab.engine.builds()
    await images.remove("once", { force: true })
    await images.prune({ all: true })
    await builds.prune({ all: true })
    // nothing of any snapshot stays when nothing is left that needs one
    expect(
      await Array.fromAsync(new Bun.Glob("*").scan({ cwd: join(lab.directory, "root/layers"), onlyFiles: false })),
    ).toEqual([])
  })
})

interface Ended {
  code: number | null
  signal: string | null
  stdout: string
}

function buildApart(lab: BuildLab, text: string, env: Record<string, string> = {}): Promise<Ended> {
  const script = join(import.meta.dir, "build-once.suite.ts")
  const child = spawn(process.execPath, [script, lab.directory, text], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  })
  let stdout = ""
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()))
  return new Promise((resolve) => child.on("close", (code, signal) => resolve({ code, signal, stdout })))
}
