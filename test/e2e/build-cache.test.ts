/**
 * `skiff build`: what is done again, what is not, what runs at once, and what comes out the same.
 *
 * One user is enough.
 */
import { describe, expect, test } from "bun:test"
import { readFileSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { CRASH_POINTS } from "../../src/base/crash-point.ts"
import { build, built, inspectImage, makeContext } from "../support/build.ts"
import { runs } from "../support/runs.ts"
import { openStore } from "../support/store.ts"
import { eventually } from "../support/wait.ts"

const skiff = openStore()

/** The steps of a build, by their instruction: `CACHED` or `DONE`. */
async function steps(directory: string, ...flags: string[]): Promise<Record<string, string>> {
  const { code, stderr } = await skiff.run(["build", "--progress", "plain", ...flags, directory])
  if (code !== 0) throw new Error(stderr)
  const names = new Map([...stderr.matchAll(/^#(\d+) \[[^\]]*\] (.*)$/gm)].map(([, number, name]) => [number, name]))
  const ends = [...stderr.matchAll(/^#(\d+) (CACHED|DONE)/gm)]
  return Object.fromEntries(ends.map(([, number, end]) => [names.get(number), end]))
}

const pick = (all: Record<string, string>, ...names: string[]) =>
  names.map((name) => Object.entries(all).find(([step]) => step.startsWith(name))?.[1] ?? "absent").join(" ")

describe("the cache", () => {
  test("takes all of an equal build, and gives the same image", async () => {
    const directory = makeContext(skiff, {
      Dockerfile:
        "FROM busybox\nRUN cat /proc/sys/kernel/random/uuid > /a\nCOPY f /f\nRUN cat /proc/sys/kernel/random/uuid > /b\n",
      f: "1",
    })
    const first = await steps(directory, "-t", "cache:1")
    expect(
      pick(first, "RUN cat /proc/sys/kernel/random/uuid > /a", "COPY", "RUN cat /proc/sys/kernel/random/uuid > /b"),
    ).toBe("DONE DONE DONE")
    const id = await skiff.ok("images", "-q", "cache:1")
    expect(
      pick(
        await steps(directory, "-t", "cache:1"),
        "RUN cat /proc/sys/kernel/random/uuid > /a",
        "COPY",
        "RUN cat /proc/sys/kernel/random/uuid > /b",
      ),
    ).toBe("CACHED CACHED CACHED")
    expect(await skiff.ok("images", "-q", "cache:1")).toBe(id)
  })

  test("a changed file undoes its COPY and what follows, a changed time does not", async () => {
    const dockerfile = "FROM busybox\nRUN echo before\nCOPY f /f\nRUN echo after\n"
    const directory = makeContext(skiff, { Dockerfile: dockerfile, f: "1", other: "x" })
    await steps(directory)
    utimesSync(join(directory, "f"), 1, 1)
    writeFileSync(join(directory, "other"), "y")
    expect(pick(await steps(directory), "RUN echo before", "COPY", "RUN echo after")).toBe("CACHED CACHED CACHED")
    writeFileSync(join(directory, "f"), "2")
    expect(pick(await steps(directory), "RUN echo before", "COPY", "RUN echo after")).toBe("CACHED DONE DONE")
  })

  test("an ARG undoes the steps below it, from where it stands", async () => {
    const directory = makeContext(skiff, { Dockerfile: "FROM busybox\nRUN echo one\nARG V\nRUN echo two\n" })
    await steps(directory, "--build-arg", "V=1")
    expect(pick(await steps(directory, "--build-arg", "V=1"), "RUN echo one", "RUN echo two")).toBe("CACHED CACHED")
    expect(pick(await steps(directory, "--build-arg", "V=2"), "RUN echo one", "RUN echo two")).toBe("CACHED DONE")
  })

  test("--no-cache and --no-cache-filter", async () => {
    const dockerfile = "FROM busybox AS a\nRUN echo a1 > /a\nFROM busybox AS b\nCOPY --from=a /a /\nRUN echo b1\n"
    const directory = makeContext(skiff, { Dockerfile: dockerfile })
    await steps(directory)
    expect(pick(await steps(directory, "--no-cache"), "RUN echo a1", "RUN echo b1")).toBe("DONE DONE")
    expect(pick(await steps(directory, "--no-cache-filter", "b"), "RUN echo a1", "RUN echo b1")).toBe("CACHED DONE")
  })

  test("an image that differs in its config alone is another base (CVE-2024-24557)", async () => {
    const base = (more: string) => built(skiff, { Dockerfile: `FROM busybox\n${more}\n` }, "-t", "cache-base")
    const directory = makeContext(skiff, {
      Dockerfile: "FROM cache-base\nRUN env > /env; pwd >> /env; id -u >> /env\n",
    })
    const out = async () => skiff.ok("run", "--rm", await skiff.ok("build", "-q", directory), "cat", "/env")
    await base("ENV A=1")
    expect(await out()).toContain("A=1")
    await base("ENV A=2")
    expect(await out()).toContain("A=2")
    await base("WORKDIR /elsewhere")
    expect(await out()).toContain("/elsewhere")
    await base("USER 1000")
    await expect(out()).rejects.toThrow("/env")
  })

  test("--cache-ttl does again what is older", async () => {
    const dockerfile = "FROM busybox AS a\nRUN echo aged > /a\nFROM busybox\nCOPY --from=a /a /\nRUN echo aged too\n"
    const directory = makeContext(skiff, { Dockerfile: dockerfile })
    await steps(directory)
    expect(pick(await steps(directory, "--cache-ttl", "1h"), "RUN echo aged >", "COPY", "RUN echo aged too")).toBe(
      "CACHED CACHED CACHED",
    )
    expect(pick(await steps(directory, "--cache-ttl", "1ms"), "RUN echo aged >", "COPY", "RUN echo aged too")).toBe(
      "DONE DONE DONE",
    )
    const { stderr } = await skiff.run(["build", "--explain-cache", "--cache-ttl", "0", directory])
    expect(stderr).toContain("RUN echo aged > /a: its result is too old")
  })

  test("--explain-cache names what differed", async () => {
    const directory = makeContext(skiff, { Dockerfile: "FROM busybox\nCOPY f /f\nRUN echo explained\n", f: "1" })
    await steps(directory)
    writeFileSync(join(directory, "f"), "2")
    const { stderr } = await skiff.run(["build", "--progress", "plain", "--explain-cache", directory])
    expect(stderr).toContain("steps that ran, and why:")
    expect(stderr).toMatch(/COPY f \/f: .*context.* differ/)
    const again = await skiff.run(["build", "--progress", "plain", "--explain-cache", directory])
    expect(again.stderr).toContain("every step was taken from the cache")
  })

  test("builder du lists it, builder prune frees it", async () => {
    await built(skiff, {
      Dockerfile: "FROM busybox\nRUN echo pruned > /p\nRUN --mount=type=cache,target=/c touch /c/f\n",
    })
    const uses = JSON.parse(await skiff.ok("builder", "du", "--json")) as { CacheType: string }[]
    expect(new Set(uses.map(({ CacheType }) => CacheType))).toEqual(new Set(["regular", "exec.cachemount"]))
    const mounts = JSON.parse(await skiff.ok("builder", "du", "--filter", "type=exec.cachemount", "--json")) as object[]
    expect([mounts.length > 0, mounts.length < uses.length]).toEqual([true, true])
    await skiff.ok("builder", "prune", "-a", "-f", "--reserved-space", "1t")
    expect(JSON.parse(await skiff.ok("builder", "du", "--json"))).toHaveLength(uses.length)
    expect(await skiff.ok("builder", "prune", "-a", "-f", "--verbose")).toMatch(/RUN echo pruned[^]*^Total:/m)
    expect(JSON.parse(await skiff.ok("builder", "du", "--json"))).toEqual([])
  })
})

describe("the graph", () => {
  test("a stage that nobody needs is not built", async () => {
    const dockerfile = "FROM busybox AS broken\nRUN false\nFROM busybox\nRUN true\n"
    expect((await build(skiff, { Dockerfile: dockerfile })).code).toBe(0)
  })

  test("independent stages run at once", async () => {
    const names = ["one", "two", "three"]
    const copies = names.map((name) => `COPY --from=${name} /out /${name}\n`).join("")
    // each waits for the others
    const meet = `until ${names.map((name) => `[ -e /c/${name} ]`).join(" && ")}; do sleep 0.1; done`
    const stages = names.map(
      (name) =>
        `FROM busybox AS ${name}\nRUN --mount=type=cache,target=/c touch /c/${name}; ${meet}; echo ${name} > /out\n`,
    )
    const id = await built(skiff, { Dockerfile: `${stages.join("")}FROM busybox\n${copies}` }, "--jobs", "4")
    expect(await skiff.ok("run", "--rm", id, "cat", "/one", "/two", "/three")).toBe("one\ntwo\nthree")
  })

  test("two builds at the same time do an equal step once", async () => {
    const directory = makeContext(skiff, {
      Dockerfile: "FROM busybox\nRUN sleep 1; cat /proc/sys/kernel/random/uuid > /when\n",
    })
    const [one, two] = await Promise.all([skiff.ok("build", "-q", directory), skiff.ok("build", "-q", directory)])
    expect(one).toBe(two)
  })
})

const REPEATED = "FROM busybox\nRUN mkdir /d && echo x > /d/f\nCOPY f /f\nWORKDIR /w\n"

async function digestOfBuild(): Promise<string> {
  const metadata = join(skiff.home, "repeat.json")
  const directory = makeContext(skiff, { Dockerfile: REPEATED, f: "1" })
  await skiff.ok("build", "--no-cache", "--timestamp", "1700000000", "--metadata-file", metadata, directory)
  return readFileSync(metadata, "utf8")
}

describe("the same inputs", () => {
  test("with a time for image and files give the same digest, without the cache", async () => {
    const first = await digestOfBuild()
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    expect(await digestOfBuild()).toEqual(first)
  })

  test("SOURCE_DATE_EPOCH is the time of the image", async () => {
    const directory = makeContext(skiff, { Dockerfile: REPEATED, f: "1" })
    const { stdout } = await skiff.run(["build", "-q", directory], { env: { SOURCE_DATE_EPOCH: "1700000000" } })
    expect((await inspectImage(skiff, stdout.trim())).Created).toStartWith("2023-11-14T22:13:20")
  })
})

const filesBelow = async (directory: string): Promise<string[]> => {
  const { stdout } = await skiff.run(["unshare", "find", join(skiff.root, directory), "-mindepth", "1"])
  return stdout.split("\n").filter(Boolean)
}

describe("a build that is killed", () => {
  test("leaves nothing running, and the next one goes on", async () => {
    const dockerfile = "FROM busybox\nRUN echo kept > /kept\nRUN sleep 30017; echo slept\n"
    const directory = makeContext(skiff, { Dockerfile: dockerfile })
    const child = skiff.spawn(["build", "--progress", "plain", directory])
    let shown = ""
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (shown += text))
    await eventually(() => expect(shown).toMatch(/RUN echo kept > \/kept\n#\d+ DONE/), 10_000)
    await eventually(() => runs("sleep 30017"), 10_000)
    child.kill("SIGKILL")
    await new Promise((resolve) => child.on("close", resolve))
    // before any other command of ours
    await eventually(() => runs("sleep 30017") === false, 10_000)
    writeFileSync(join(directory, "Dockerfile"), dockerfile.replace("sleep 30017", "true"))
    expect(pick(await steps(directory), "RUN echo kept")).toBe("CACHED")
    await skiff.leavesNothing(10_000)
  })

  test.each(CRASH_POINTS.filter((point) => point.startsWith("build:")))(
    "at %s is taken up by the next one",
    async (point) => {
      const dockerfile = `FROM busybox\nRUN echo ${point} > /a\nCOPY f /f\n`
      const directory = makeContext(skiff, { Dockerfile: dockerfile, f: "1" })
      const crashed = await skiff.run(["build", "-t", "crashed", directory], { env: { SKIFF_CRASH_AT: point } })
      expect(crashed.code).toBe(137)
      const id = await skiff.ok("build", "-q", "-t", "crashed", directory)
      expect(await skiff.ok("run", "--rm", id, "sh", "-c", "cat /a /f")).toBe(`${point}\n1`)
      await skiff.ok("rmi", "crashed")
      expect(await filesBelow("builds")).toEqual([])
      await skiff.leavesNothing(10_000)
    },
  )

  test("by Ctrl-C ends in order, at once", async () => {
    const directory = makeContext(skiff, { Dockerfile: "FROM busybox\nRUN echo begun; sleep 300\n" })
    const child = skiff.spawn(["build", "--progress", "plain", directory])
    let shown = ""
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (shown += text))
    await eventually(() => expect(shown).toContain(" begun"), 10_000)
    const ended = new Promise((resolve) => child.on("close", resolve))
    // its step would sleep on for five minutes
    child.kill("SIGINT")
    expect(await ended).not.toBe(0)
    await skiff.leavesNothing()
  })
})
