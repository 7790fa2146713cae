import { describe, expect, test } from "bun:test"
import * as fc from "fast-check"
import type { Digest, DiffId } from "../../spec/digest.ts"
import type { ImageRunConfig } from "../../spec/oci-image.ts"
import type { Platform } from "../../spec/platform.ts"
import { parseDockerfile } from "../../dockerfile/parse-dockerfile.ts"
import { ignoreMatcher } from "../../dockerfile/ignore-file.ts"
import type { FilesOperation, RunOperation, Vertex } from "./definition.ts"
import { checkBuild, planBuild, type Plan, type PlanOptions } from "./plan.ts"

const digest = (digit: string) => `sha256:${digit.repeat(64)}` as Digest
const amd64: Platform = { os: "linux", architecture: "amd64" }

interface Given extends Partial<PlanOptions["request"]> {
  bases?: Record<string, ImageRunConfig>
  platform?: Platform
  ignore?: string[]
}

/** Options with images that are what the test says they are; others have a shell and no config. */
function options(text: string, given: Given = {}): PlanOptions & { asked: string[] } {
  const { bases = {}, platform = amd64, ignore, ...request } = given
  const asked: string[] = []
  return {
    asked,
    dockerfile: parseDockerfile(text),
    request: {
      args: {},
      namedContexts: {},
      platforms: [],
      labels: {},
      noCache: false,
      network: "default",
      allow: [],
      ...request,
    },
    platform,
    buildPlatform: amd64,
    ...(ignore === undefined ? {} : { ignore: ignoreMatcher(ignore) }),
    resolveBase: async (name, wanted) => {
      asked.push(name)
      return {
        id: digest(String(name.length % 10)),
        digest: digest("d"),
        config: {
          ...wanted,
          config: bases[name] ?? {},
          rootfs: { type: "layers", diff_ids: [digest("b") as string as DiffId] },
          history: [{ created_by: "base" }],
        },
      }
    },
  }
}

const plan = (text: string, given?: Given): Promise<Plan> => planBuild(options(text, given))
const names = ({ vertices }: Plan) => vertices.map(({ name }) => name)
const lines = ({ history }: Plan) => history.map(({ entry }) => entry.created_by).slice(1)
const runs = ({ vertices }: Plan) =>
  vertices.map(({ operation }) => operation).filter((one) => one.kind === "run") as RunOperation[]
const run = (made: Plan) => runs(made).at(-1) as RunOperation
const files = ({ vertex }: Plan) => vertex.operation as FilesOperation
const env = (made: Plan) =>
  Object.fromEntries(
    run(made).env.map((entry) => [entry.slice(0, entry.indexOf("=")), entry.slice(entry.indexOf("=") + 1)]),
  )

const configOf = async (text: string, base: ImageRunConfig = {}) =>
  (await plan(`FROM a\n${text}`, { bases: { a: base } })).image.config

const asksFor = async (from: string) => {
  const given = options(`FROM a AS One\nRUN 1\nFROM b\nCOPY --from=${from} /x /`)
  await planBuild(given)
  return given.asked
}

const planOne = async (line: string, given?: Given) => run(await plan(`FROM a\nUSER u\nWORKDIR /w\n${line}`, given))

const actionsOf = async (line: string) => files(await plan(`FROM a\nWORKDIR /w\n${line}`)).actions

const warned = async (text: string) =>
  (await plan(text, { ignore: ["logs"], args: { TAG: "1" } })).warnings.map(({ rule }) => rule)

const linted = async (text: string, given?: Given) => (await checkBuild(options(text, given))).map(({ rule }) => rule)

describe("history is BuildKit's, to the byte", () => {
  const cases: [line: string, createdBy: string, hasLayer: boolean][] = [
    ["RUN make && x", "RUN /bin/sh -c make && x # buildkit", true],
    ['RUN ["make", "a b"]', "RUN make a b # buildkit", true],
    ["COPY a b /c/", "COPY a b /c/ # buildkit", true],
    ["COPY --chown=1:2 --chmod=0644 a /", "COPY --chown=1:2 --chmod=0644 a / # buildkit", true],
    ["COPY --parents --exclude=x a /", "COPY --parents a / # buildkit", true],
    ["COPY --from=busybox --link /a /b", "COPY /a /b # buildkit", true],
    ["ADD a.tar /", "ADD a.tar / # buildkit", true],
    ["ADD https://x.org/y /", "ADD https://x.org/y / # buildkit", true],
    ["COPY <<EOF /x\nhi\nEOF", "COPY <<EOF /x # buildkit", true],
    ["ENV a=b c='d e'", "ENV a=b c=d e", false],
    ["ENV a b c", "ENV a=b c", false],
    ["LABEL a=b", "LABEL a=b", false],
    ["ARG a=b c", "ARG a=b c", false],
    ["WORKDIR /x", "WORKDIR /x", true],
    ["WORKDIR x/", "WORKDIR /x", true],
    ["WORKDIR /x//y/", "WORKDIR /x//y/", true],
    ["WORKDIR /", "WORKDIR /", false],
    ["USER me", "USER me", false],
    ["EXPOSE 443 80/UDP 7000-7002", "EXPOSE [443/tcp 7000/tcp 7001/tcp 7002/tcp 80/udp]", false],
    ["VOLUME /a /b", "VOLUME [/a /b]", false],
    ["STOPSIGNAL SIGINT", "STOPSIGNAL SIGINT", false],
    ['SHELL ["/bin/bash", "-c"]', "SHELL [/bin/bash -c]", false],
    ['CMD ["a", "b \\"c\\""]', 'CMD ["a" "b \\"c\\""]', false],
    ["CMD a", 'CMD ["/bin/sh" "-c" "a"]', false],
    ["CMD []", "CMD []", false],
    ['ENTRYPOINT ["é", "\\t\\u0001\\u200b"]', 'ENTRYPOINT ["é" "\\t\\x01\\u200b"]', false],
    ["MAINTAINER a b", "MAINTAINER a b", false],
    [
      "HEALTHCHECK --interval=90s --timeout=1500ms --retries=2 CMD a b",
      `HEALTHCHECK &{["CMD-SHELL" "a b"] "1m30s" "1.5s" "0s" "0s" '\\x02'}`,
      false,
    ],
    ["HEALTHCHECK NONE", `HEALTHCHECK &{["NONE"] "0s" "0s" "0s" "0s" '\\x00'}`, false],
  ]
  test.each(cases)("%s", async (line, createdBy, hasLayer) => {
    const made = await plan(`FROM alpine\n${line}`)
    const last = made.history.at(-1)
    expect(last?.entry.created_by).toBe(createdBy)
    expect(last?.entry.comment).toBe("buildkit.dockerfile.v0")
    expect(last?.entry.empty_layer).toBe(hasLayer ? undefined : true)
    expect(last?.vertex).toBe(hasLayer ? made.vertex : undefined)
    expect(made.history[0]).toEqual({ entry: { created_by: "base" } })
  })

  test("ONBUILD leaves no line", async () => expect(lines(await plan("FROM a\nONBUILD RUN x"))).toEqual([]))

  test("RUN shows the arguments in force, each once with the value it sees", async () => {
    const made = await plan("FROM a\nARG x=1\nARG y z\nARG x=2\nENV y=e\nRUN make", { args: { z: "given" } })
    expect(lines(made).at(-1)).toBe("RUN |3 x=2 y=e z=given /bin/sh -c make # buildkit")
  })

  test("an epoch is the time of each line", async () => {
    const made = await plan("FROM a\nENV a=b\nRUN x", { epoch: 1_700_000_000 })
    expect(made.history.slice(1).map(({ entry }) => entry.created)).toEqual(Array(2).fill("2023-11-14T22:13:20Z"))
    expect(files(await plan("FROM a\nCOPY a /", { epoch: 5 })).epoch).toBe(5)
    const argued = await plan("ARG SOURCE_DATE_EPOCH=0\nFROM a\nARG SOURCE_DATE_EPOCH\nRUN x")
    expect(argued.epoch).toBe(0)
    expect(env(argued)["SOURCE_DATE_EPOCH"]).toBe("0")
    await expect(plan("FROM a", { args: { SOURCE_DATE_EPOCH: "today" } })).rejects.toThrow("invalid SOURCE_DATE_EPOCH")
  })
})

describe("config", () => {
  test("of a base is kept, its ENV in order", async () => {
    const base = { Env: ["A=1", "PATH=/x", "B=2"], Cmd: ["sh"], Labels: { a: "1" }, User: "u", WorkingDir: "/w" }
    expect(await configOf("ENV A=3 C=$B\nLABEL b=2", base)).toEqual({
      ...base,
      Env: ["A=3", "PATH=/x", "B=2", "C=2"],
      Labels: { a: "1", b: "2" },
    })
  })

  test("has a PATH always, and of scratch the root as working directory", async () => {
    const path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    expect(await configOf("")).toEqual({ Env: [path] })
    expect((await plan("FROM scratch\nCOPY a /")).image).toEqual({
      ...amd64,
      config: { Env: [path], WorkingDir: "/" },
    })
  })

  test("ENTRYPOINT takes the base's CMD away, and not the stage's own", async () => {
    const base = { Cmd: ["sh"], Entrypoint: ["old"] }
    expect(await configOf('ENTRYPOINT ["new"]', base)).not.toHaveProperty("Cmd")
    expect(await configOf('CMD ["mine"]\nENTRYPOINT ["new"]', base)).toMatchObject({
      Cmd: ["mine"],
      Entrypoint: ["new"],
    })
    expect(await configOf('CMD ["mine"]', base)).toMatchObject({
      Cmd: ["mine"],
      Entrypoint: ["old"],
      ArgsEscaped: true,
    })
    expect(await configOf("CMD []", base)).not.toHaveProperty("Cmd")
  })

  test("takes all the other instructions", async () => {
    const text = `SHELL ["/bin/bash", "-c"]
CMD x
EXPOSE 80
EXPOSE 53/udp
VOLUME /a
VOLUME ["/b c"]
STOPSIGNAL 9
USER 1:2
WORKDIR a
WORKDIR ../b
HEALTHCHECK --interval=1s CMD x
ONBUILD COPY . .
MAINTAINER me`
    const { image } = await plan(`FROM a\n${text}`)
    expect(image.author).toBe("me")
    expect(image.config).toMatchObject({
      Cmd: ["/bin/bash", "-c", "x"],
      ExposedPorts: { "80/tcp": {}, "53/udp": {} },
      Volumes: { "/a": {}, "/b c": {} },
      StopSignal: "9",
      User: "1:2",
      WorkingDir: "/b",
      Healthcheck: { Test: ["CMD-SHELL", "x"], Interval: 1e9 },
      OnBuild: ["COPY . ."],
    })
    expect(image.config?.Healthcheck).toEqual({ Test: ["CMD-SHELL", "x"], Interval: 1e9 })
  })

  test("labels of the request come last", async () => {
    const made = await plan("FROM a\nLABEL x=1 y=1", { labels: { y: "2", z: "3" } })
    expect(made.image.config?.Labels).toEqual({ x: "1", y: "2", z: "3" })
  })

  test("Buildah's edits: another first image, environment from the start, less of the base's labels", async () => {
    const bases = { b: { Labels: { keep: "1", drop: "1" }, Env: ["PATH=/bin", "OLD=1"] } }
    const edits = { from: "b", env: { NEW: "2" }, unsetEnv: ["OLD"], unsetLabels: ["drop"] }
    const made = await plan("FROM a AS one\nFROM one\nLABEL drop=mine\nRUN x", { bases, edits })
    expect(made.image.config).toEqual({ Labels: { keep: "1", drop: "mine" }, Env: ["PATH=/bin", "NEW=2"] })
    expect(run(made).env).toEqual(["PATH=/bin", "OLD=1", "NEW=2"])
    const bare = await plan("FROM b\nLABEL own=1", { bases, edits: { dropsBaseLabels: true } })
    expect(bare.image.config?.Labels).toEqual({ own: "1" })
  })

  test("its platform is the base's own, or the one asked for", async () => {
    const arm: Platform = { os: "linux", architecture: "arm64", variant: "v8" }
    expect((await plan("FROM --platform=linux/arm64 a")).image).toMatchObject({ architecture: "arm64" })
    const asked = await plan("FROM --platform=$BUILDPLATFORM a", { platform: arm, platforms: [arm] })
    expect(asked.image).toMatchObject({ os: "linux", architecture: "arm64" })
    expect(asked.image).not.toHaveProperty("variant")
  })
})

describe("variables", () => {
  test("ARG: default, build arg, global scope; undeclared ones are nothing", async () => {
    const text = "ARG G=global H=h\nFROM a\nARG G\nARG H=own\nARG D=def\nARG N\nRUN x"
    expect(env(await plan(text))).toMatchObject({ G: "global", H: "own", D: "def" })
    const given = env(await plan(text, { args: { G: "1", D: "2", N: "3", UNKNOWN: "4" } }))
    expect(given).toMatchObject({ G: "1", H: "own", D: "2", N: "3" })
    expect(given).not.toHaveProperty("UNKNOWN")
    expect(env(await plan("ARG G=x\nFROM a\nRUN x"))).not.toHaveProperty("G")
  })

  test("ENV wins over an ARG that stands above it, and all words of one ENV see what was before", async () => {
    expect(env(await plan("FROM a\nENV a=1\nENV a=2 b=$a\nRUN x"))).toMatchObject({ a: "2", b: "1" })
    expect(env(await plan("FROM a\nARG a=1\nENV a=2\nRUN x", { args: { a: "3" } }))).toMatchObject({ a: "2" })
  })

  test("of a stage go on to the one built on it, ARGs too", async () => {
    const made = await plan("FROM a AS x\nARG A=1\nENV E=2\nFROM x\nRUN y")
    expect(env(made)).toMatchObject({ A: "1", E: "2" })
    expect(lines(made).at(-1)).toBe("RUN |1 A=1 /bin/sh -c y # buildkit")
  })

  test("the platform family is there for who declares it", async () => {
    const arm: Platform = { os: "linux", architecture: "arm", variant: "v7" }
    const declared =
      "ARG TARGETPLATFORM TARGETOS TARGETARCH TARGETVARIANT BUILDPLATFORM BUILDARCH BUILDVARIANT TARGETSTAGE"
    const made = await plan(`FROM a AS last\n${declared}\nRUN x`, { platform: arm, platforms: [arm] })
    expect(env(made)).toMatchObject({
      TARGETPLATFORM: "linux/arm/v7",
      TARGETOS: "linux",
      TARGETARCH: "arm",
      TARGETVARIANT: "v7",
      BUILDPLATFORM: "linux/amd64",
      BUILDARCH: "amd64",
      BUILDVARIANT: "",
      TARGETSTAGE: "last",
    })
    expect(env(await plan("FROM a\nRUN x"))).not.toHaveProperty("TARGETARCH")
    expect(env(await plan("FROM a\nARG TARGETARCH\nRUN x", { args: { TARGETARCH: "mine" } }))["TARGETARCH"]).toBe(
      "mine",
    )
  })

  test("proxies stay out of vertices and history unless declared", async () => {
    const args = { http_proxy: "http://p" }
    const made = await plan("FROM a\nRUN x", { args })
    expect(JSON.stringify(made.vertices)).not.toContain("http://p")
    expect(lines(made).at(-1)).toBe("RUN /bin/sh -c x # buildkit")
    expect(env(await plan("FROM a\nARG http_proxy\nRUN x", { args }))).toMatchObject(args)
  })

  test("name bases and platforms", async () => {
    const asked = options("ARG V=1\nARG N=a:$V\nFROM $N AS x\nFROM ${Q:-x}\nRUN y", { args: { V: "2" } })
    await planBuild(asked)
    expect(asked.asked).toEqual(["a:2"])
    await expect(plan("FROM $NOPE")).rejects.toThrow("Dockerfile:1: base name ($NOPE) should not be blank")
    await expect(plan("FROM --platform=$NOPE a")).rejects.toThrow("empty platform value")
    await expect(plan("FROM --platform=a/b/c/d a")).rejects.toThrow('invalid platform "a/b/c/d"')
  })

  test("a FROM may insist on a build arg", async () => {
    const text = 'ARG V\nARG W="${V:?give V}"\nFROM a:${W:?}\nRUN x'
    expect((await plan(text, { args: { V: "1" } })).vertices[0]?.operation).toMatchObject({
      name: "docker.io/library/a:1",
    })
    await expect(plan(text)).rejects.toThrow("V: give V")
  })

  test("in words of COPY, of the body of a here-document, of mounts; not in commands", async () => {
    const copied = files(await plan("FROM a\nENV D=/d S=s\nCOPY --chown=$S --chmod=${M:-644} $S '$S' $D/"))
    expect(copied.actions).toMatchObject([{ sources: ["/s", "/$S"], target: "/d/", chown: "s", chmod: "644" }])
    const body = await plan(`FROM a\nENV D=d\nCOPY <<A <<'B' /\n"$D" it's \\$D\nA\n$D\nB`)
    expect(body.vertices.map(({ operation }) => operation).filter(({ kind }) => kind === "inline")).toMatchObject([
      { files: { A: `"d" it's $D\n` } },
      { files: { B: "$D\n" } },
    ])
    const made = run(await plan("FROM a\nENV D=d\nRUN --mount=type=cache,target=/$D echo $D"))
    expect(made).toMatchObject({ argv: ["/bin/sh", "-c", "echo $D"], mounts: [{ target: "/d" }] })
  })

  test("a message of ${x:?…} is the error", async () => {
    await expect(plan('FROM a\nARG V\nENV x="${V:?give V}"')).rejects.toThrow("V: give V\n   1 |     FROM a")
  })
})

describe("stages", () => {
  const text =
    "FROM a AS one\nRUN 1\nFROM b AS two\nRUN 2\nFROM one AS three\nCOPY --from=two /x /y\nRUN 3\nFROM c\nRUN 4"

  const cached = async (noCache: boolean | string[]) =>
    (await plan(text, { target: "three", noCache })).vertices
      .filter(({ operation }) => operation.kind === "run")
      .map(({ ignoreCache }) => ignoreCache)

  test("that the target does not need are not planned, nor are their bases pulled", async () => {
    const last = options(text)
    expect(runs(await planBuild(last)).map(({ argv }) => argv[2])).toEqual(["4"])
    expect(last.asked).toEqual(["c"])
    const three = options(text, { target: "THREE" })
    expect(runs(await planBuild(three)).map(({ argv }) => argv[2])).toEqual(["1", "2", "3"])
    expect(three.asked).toEqual(["a", "b"])
    expect((await planBuild(options(text, { target: "0" }))).vertex.name).toContain("RUN 1")
    await expect(plan(text, { target: "tree" })).rejects.toThrow(
      'target stage "tree" could not be found (did you mean three?)',
    )
  })

  test("name their steps as BuildKit", async () => {
    expect(names(await plan("FROM a\nWORKDIR /x\nENV A=b\nRUN  --network=none echo  $A $B '$A'"))).toEqual([
      `[1/3] FROM docker.io/library/a:latest@${digest("d")}`,
      "[2/3] WORKDIR /x",
      "[3/3] RUN  --network=none echo  b $B '$A'",
    ])
    const made = await plan("FROM a AS x\nrun y\nFROM scratch\nCOPY --from=x / /\nCOPY . .")
    expect(names(made)).toEqual([
      "[internal] scratch",
      `[x 1/2] FROM docker.io/library/a:latest@${digest("d")}`,
      "[x 2/2] RUN y",
      "[stage-1 1/2] COPY --from=x / /",
      "[internal] load build context",
      "[stage-1 2/2] COPY . .",
    ])
    const two = await plan("FROM --platform=$BUILDPLATFORM a\nARG TARGETPLATFORM\nRUN x", {
      platform: { os: "linux", architecture: "arm64" },
      platforms: [amd64, { os: "linux", architecture: "arm64" }],
    })
    expect(names(two).at(-1)).toBe("[linux/amd64->arm64 2/2] RUN x")
    const ten = await plan(`FROM a\n${"RUN x\n".repeat(10)}`)
    expect(ten.vertex.name).toBe("[11/11] RUN x")
    expect(names(ten)[1]).toBe("[ 2/11] RUN x")
  })

  test("equal ones are one", async () => {
    const made = await plan(
      "FROM a AS x\nRUN same\nFROM a AS y\nRUN same\nFROM scratch\nCOPY --from=x /1 /\nCOPY --from=y /2 /",
    )
    expect(runs(made)).toHaveLength(1)
  })

  test("may be read by number, name in any case, image, but not in a circle or ahead", async () => {
    expect(await asksFor("0")).toEqual(["a", "b"])
    expect(await asksFor("ONE")).toEqual(["a", "b"])
    expect(await asksFor("busybox:1")).toEqual(["b", "busybox:1"])
    await expect(plan("FROM a\nCOPY --from=7 /x /")).rejects.toThrow("Dockerfile:2: invalid stage index 7")
    await expect(plan("FROM a\nCOPY --from=0 /x /")).rejects.toThrow("circular dependency")
    await expect(plan("FROM a AS x\nCOPY --from=y / /\nFROM b AS y\nRUN z\nFROM x")).rejects.toThrow(
      "needs to be defined before",
    )
    await expect(plan("FROM a AS x\nCOPY --from=y / /\nFROM b AS y\nCOPY --from=x / /")).rejects.toThrow(
      "circular dependency",
    )
    await expect(plan("ARG V=a\nFROM a\nCOPY --from=$V /x /")).rejects.toThrow(
      "variable expansion is not supported for --from",
    )
    await expect(plan("FROM a\nRUN --mount=from=$V,target=/x y")).rejects.toThrow("define alias stage instead")
  })

  test("errors of a base are about its FROM", async () => {
    const failing = options("FROM a AS x\nRUN y\nFROM b\nCOPY --from=x / /")
    failing.resolveBase = async () => {
      const { NotFound } = await import("../../base/errors.ts")
      throw new NotFound("no such image", { hint: "pull it" })
    }
    await expect(planBuild(failing)).rejects.toMatchObject({
      code: "NotFound",
      hint: "pull it",
      message: expect.stringContaining("Dockerfile:1: no such image\n   1 | >>> FROM a AS x"),
    })
  })

  test("without cache, all or by name", async () => {
    expect(await cached(true)).toEqual([true, true, true])
    expect(await cached(["TWO"])).toEqual([false, true, false])
  })
})

describe("named contexts", () => {
  const directory = { kind: "directory" as const, path: "/somewhere" }

  test("stand for images, stages and --from", async () => {
    const given = options("FROM alpine AS x\nRUN 1\nFROM x\nCOPY --from=docs / /d", {
      namedContexts: { docs: directory },
    })
    const made = await planBuild(given)
    expect(given.asked).toEqual(["alpine"])
    expect(names(made)).toContain("[context docs] load from client")
    const base = options("FROM alpine\nRUN 1", {
      namedContexts: { "docker.io/library/alpine:latest": { kind: "image", name: "mine" } },
    })
    await planBuild(base)
    expect(base.asked).toEqual(["mine"])
    const stage = options("FROM alpine AS x\nRUN 1\nFROM scratch\nCOPY --from=x / /", {
      namedContexts: { x: directory },
    })
    expect(names(await planBuild(stage))).toEqual([
      "[internal] scratch",
      "[context x] load from client",
      "[stage-1 1/1] COPY --from=x / /",
    ])
    expect(stage.asked).toEqual([])
  })

  test("a directory as base has an empty image", async () => {
    const made = await plan("FROM rootfs\nRUN x", { namedContexts: { rootfs: directory } })
    expect(names(made)).toEqual([
      "[internal] scratch",
      "[context rootfs] load from client",
      "[context rootfs] load from client",
      "[1/2] RUN x",
    ])
    expect(lines(made)).toEqual(["RUN /bin/sh -c x # buildkit"])
    expect(made.image.config).toMatchObject({ WorkingDir: "/" })
  })
})

describe("ONBUILD of a base", () => {
  test("runs first in the stage, counts as its steps, and is not handed on", async () => {
    const made = await plan("FROM a\nRUN own", { bases: { a: { OnBuild: ["ENV x=1", "RUN theirs $x"] } } })
    expect(names(made).slice(1)).toEqual(["[2/4] ONBUILD RUN theirs 1", "[3/4] RUN own"])
    expect(lines(made)).toEqual(["ENV x=1", "RUN /bin/sh -c theirs $x # buildkit", "RUN /bin/sh -c own # buildkit"])
    expect(made.image.config).not.toHaveProperty("OnBuild")
  })

  test("of a stage runs in the stage on it, and may read stages and images", async () => {
    const text =
      "FROM a AS tool\nRUN 1\nFROM b AS base\nONBUILD COPY --from=tool /t /\nONBUILD COPY --from=c /u /\nFROM base"
    const given = options(text)
    const made = await planBuild(given)
    expect(given.asked.toSorted()).toEqual(["a", "b", "c"])
    expect(lines(made)).toEqual(["COPY /t / # buildkit", "COPY /u / # buildkit"])
  })

  test("that is wrong is an error about the FROM line", async () => {
    await expect(plan("FROM a", { bases: { a: { OnBuild: ["NOPE x"] } } })).rejects.toThrow(
      "Dockerfile:1: the base image's ONBUILD",
    )
  })
})

describe("RUN", () => {
  test("has the directory, user, shell and network of its place", async () => {
    expect(await planOne("RUN x")).toMatchObject({
      cwd: "/w",
      user: "u",
      network: "default",
      security: "sandbox",
      mounts: [],
    })
    expect(await planOne('SHELL ["/b", "-x"]\nRUN x')).toMatchObject({ argv: ["/b", "-x", "x"] })
    expect(await planOne('RUN ["x", "$y"]')).toMatchObject({ argv: ["x", "$y"] })
    expect(await planOne("RUN --network=none x", { network: "host" })).toMatchObject({ network: "none" })
    expect(await planOne("RUN x", { network: "host" })).toMatchObject({ network: "host" })
  })

  test("mounts", async () => {
    const made = await plan(`FROM a AS s
FROM b
WORKDIR /w
RUN --mount=target=. \\
  --mount=from=s,source=../x/y,target=/m,rw \\
  --mount=type=cache,target=c/d,uid=1 --mount=type=cache,target=/e,id=k,from=s,source=z,sharing=locked \\
  --mount=type=tmpfs,target=/t,size=1k \\
  --mount=type=secret,id=a/b --mount=type=secret,id=v,env=V --mount=type=secret,target=rel/s,mode=0444 \\
  --mount=type=ssh --mount=type=ssh,id=i,target=/s,required make`)
    expect(run(made).mounts).toEqual([
      { type: "bind", target: "/w", from: 1, source: "/", writable: false },
      { type: "bind", target: "/m", from: 2, source: "/x/y", writable: true },
      {
        type: "cache",
        target: "/w/c/d",
        id: "c/d:1:0:755",
        sharing: "shared",
        source: "/",
        readOnly: false,
        mode: 0o755,
        uid: 1,
        gid: 0,
      },
      {
        type: "cache",
        target: "/e",
        id: "k",
        sharing: "locked",
        from: 2,
        source: "/z",
        readOnly: false,
        mode: 0o755,
        uid: 0,
        gid: 0,
      },
      { type: "tmpfs", target: "/t", sizeBytes: 1024 },
      { type: "secret", id: "a/b", target: "/run/secrets/b", required: false, mode: 0o400, uid: 0, gid: 0 },
      { type: "secret", id: "v", env: "V", required: false, mode: 0o400, uid: 0, gid: 0 },
      { type: "secret", id: "s", target: "/w/rel/s", required: false, mode: 0o444, uid: 0, gid: 0 },
      { type: "ssh", id: "default", required: false, mode: 0o600, uid: 0, gid: 0 },
      { type: "ssh", id: "i", target: "/s", required: true, mode: 0o600, uid: 0, gid: 0 },
    ])
    expect(made.vertex.inputs.map(({ operation }) => operation.kind)).toEqual(["files", "context", "image"])
    await expect(plan("FROM a\nRUN --mount=type=cache,target=/ x")).rejects.toThrow('invalid mount target "/"')
    await expect(plan("FROM a\nRUN --mount=type=bind,target=. x")).rejects.toThrow('invalid mount target "/"')
    await expect(plan("FROM a\nRUN --mount=target=/x,bind-propagation=shared x")).rejects.toThrow(
      "Dockerfile:2: unexpected key 'bind-propagation'",
    )
  })

  test("a stage may mount its own base", async () => {
    const made = await plan("FROM a AS x\nFROM x\nRUN --mount=from=x,target=/x y")
    expect(made.vertex.inputs).toHaveLength(2)
    expect(run(made).mounts).toMatchObject([{ from: 1 }])
  })

  test("what needs a grant is refused without", async () => {
    const insecure = "RUN --security=insecure x"
    await expect(planOne(insecure)).rejects.toMatchObject({
      code: "PermissionDenied",
      hint: { do: "set", field: "entitlements", value: "security.insecure" },
    })
    expect(await planOne(insecure, { allow: ["security.insecure"] })).toMatchObject({ security: "insecure" })
    await expect(planOne("RUN []")).rejects.toThrow("requires at least one argument")
    await expect(planOne("RUN --network=host x")).rejects.toMatchObject({ code: "PermissionDenied" })
    expect(await planOne("RUN --network=host x", { allow: ["network.host"] })).toMatchObject({ network: "host" })
  })

  test("here-documents: the shell's text, a program of its own, or left to the shell", async () => {
    expect((await planOne("RUN <<EOF\necho $a\nb\nEOF")).argv).toEqual(["/bin/sh", "-c", "echo $a\nb\n"])
    expect((await planOne("RUN <<-EOF\n\techo\n\tEOF")).argv).toEqual(["/bin/sh", "-c", "echo\n"])
    expect((await planOne("RUN cat <<A - <<-'B'\n1\nA\n\t2\n\tB")).argv[2]).toBe("cat <<A - <<-'B'\n1\nA\n\t2\nB")
    const script = await plan("FROM a\nRUN <<EOF\n#!/usr/bin/env python3\nprint(1)\nEOF")
    expect(run(script)).toMatchObject({
      argv: ["/bin/sh", "-c", "/dev/pipes/EOF"],
      mounts: [{ type: "bind", target: "/dev/pipes", from: 1, source: "/", writable: false }],
    })
    expect(script.vertex.inputs[1]?.operation).toEqual({
      kind: "inline",
      files: { EOF: "#!/usr/bin/env python3\nprint(1)\n" },
      mode: 0o755,
    })
    expect(script.vertex.name).toBe("[2/2] RUN <<EOF (#!/usr/bin/env python3...)")
    expect(run(await plan("FROM a\nRUN <<-EOF\n\t#!/bin/sh\nEOF")).argv).toEqual(["/bin/sh", "-c", "#!/bin/sh\n"])
    await expect(plan("FROM a\nRUN <<../x\n#!/bin/sh\n../x")).rejects.toThrow("cannot be a file")
  })

  test("a secret's value is not shown in the name, nor is another's", async () => {
    const made = await plan("FROM a\nENV T=x\nRUN --mount=type=secret,id=t,env=T echo $T")
    expect(made.vertex.name).toBe("[stage-0 2/2] RUN --mount=type=secret,id=t,env=T echo ****")
  })
})

describe("COPY and ADD", () => {
  test.each<[line: string, sources: string[], target: string]>([
    ["COPY a b/../c /x", ["/a", "/c"], "/x"],
    ["COPY . .", ["/"], "/w/"],
    ["COPY ../../etc/x y/", ["/etc/x"], "/w/y/"],
    ["COPY a ./", ["/a"], "/w/"],
    ["COPY a x/.", ["/a"], "/w/x/"],
    ["COPY a* ../z", ["/a*"], "/z"],
    ["COPY a /", ["/a"], "/"],
    ["COPY --parents a/./b/c ./x/y /t/", ["/a/./b/c", "/x/y"], "/t/"],
  ])("%s", async (line, sources, target) => expect(await actionsOf(line)).toMatchObject([{ sources, target }]))

  test("flags", async () => {
    expect(await actionsOf("COPY --chown=1 --chmod=u=rwX,go= --exclude=*.md --exclude=x a /")).toEqual([
      {
        do: "copy",
        from: 1,
        sources: ["/a"],
        target: "/",
        chown: "1",
        chmod: "u=rwX,go=",
        parents: false,
        exclude: ["*.md", "x"],
        unpack: false,
        allowEmpty: true,
        contentsOnly: true,
      },
    ])
    expect(await actionsOf("ADD a /")).toMatchObject([{ unpack: true }])
    expect(await actionsOf("ADD --unpack=false a /")).toMatchObject([{ unpack: false }])
    for (const mode of ["8", "77777", "rwx", "u=rwx,", "a+q"])
      await expect(actionsOf(`COPY --chmod=${mode} a /`)).rejects.toThrow(`invalid chmod parameter: '${mode}'`)
  })

  test("--chown by name asks the stage: it cannot be empty, and --link makes no layer of its own", async () => {
    await expect(plan("FROM scratch\nCOPY --chown=me a /")).rejects.toThrow("the stage has no files yet")
    expect((await plan("FROM scratch\nCOPY --chown=1:root a /")).vertex.operation.kind).toBe("files")
    expect((await plan("FROM a\nCOPY --link --chown=me a /")).vertex.operation.kind).toBe("files")
    expect((await plan("FROM a\nCOPY --link --chown=1 a /")).vertex.operation.kind).toBe("merge")
  })

  test("--link lays its own layer over the root", async () => {
    const { vertex, history } = await plan("FROM a\nCOPY --link a /b")
    expect(vertex.operation.kind).toBe("merge")
    expect(vertex.inputs.map(({ operation }) => operation.kind)).toEqual(["image", "files"])
    expect(vertex.inputs[1]?.inputs[0]?.operation.kind).toBe("scratch")
    expect(vertex.name).toBe("[2/2] LINK COPY --link a /b")
    expect(history.at(-1)?.vertex).toBe(vertex)
  })

  test("ADD of URLs and git, each an input of its own", async () => {
    const made = await plan(`FROM a
ADD --keep-git-dir=true https://x.org/p/f%20g.tgz https://h/r.git#v1:sub local git@h:o/r.git /d/`)
    expect(made.vertex.inputs.slice(1).map(({ operation }) => operation)).toEqual([
      { kind: "http", url: "https://x.org/p/f%20g.tgz", fileName: "f g.tgz" },
      { kind: "git", url: "https://h/r.git#v1:sub", keepGitDir: true },
      { kind: "context", name: "context" },
      { kind: "git", url: "git@h:o/r.git", keepGitDir: true },
    ])
    expect(files(made).actions).toMatchObject([
      { from: 1, sources: ["/f g.tgz"], unpack: false },
      { from: 2, sources: ["/"], contentsOnly: true },
      { from: 3, sources: ["/local"], unpack: true },
      { from: 4, sources: ["/"] },
    ])
  })

  test("checksums", async () => {
    const sum = digest("a")
    expect((await plan(`FROM a\nADD --checksum=${sum} https://x.org/ /`)).vertex.inputs[1]?.operation).toEqual({
      kind: "http",
      url: "https://x.org/",
      fileName: "__unnamed__",
      checksum: sum,
    })
    const git = await plan("FROM a\nADD https://h/r.git?checksum=abcdef1&submodules=false /")
    expect(git.vertex.inputs[1]?.operation).toMatchObject({
      url: "https://h/r.git#abcdef1",
      checksum: "abcdef1",
      submodules: false,
    })
    await expect(plan("FROM a\nADD --checksum=x https://x.org/y /")).rejects.toMatchObject({ code: "InvalidArgument" })
    await expect(plan(`FROM a\nADD --checksum=${sum} a /`)).rejects.toThrow("checksum requires HTTP(S) or Git sources")
    await expect(plan(`FROM a\nADD --checksum=${sum} https://a/b https://a/c /`)).rejects.toThrow("multiple sources")
    await expect(plan("FROM a\nADD https://h/r.git?nope=1 /")).rejects.toThrow('unexpected query "nope"')
  })

  test("COPY fetches nothing", async () => {
    await expect(plan("FROM a\nCOPY https://x.org/y /")).rejects.toThrow("source can't be a URL for COPY")
    await expect(plan("FROM a\nCOPY git@h:o/r.git /")).rejects.toThrow("source can't be a git ref for COPY")
  })
})

describe("warnings", () => {
  const rules: [rule: string, text: string][] = [
    ["StageNameCasing", "FROM a AS B"],
    ["FromAsCasing", "FROM a as b"],
    ["NoEmptyContinuation", "FROM a\nRUN x \\\n\n  y"],
    ["ConsistentInstructionCasing", "FROM a\nRUN x\nrun y"],
    ["DuplicateStageName", "FROM a AS b\nFROM a AS b"],
    ["ReservedStageName", "FROM a AS context"],
    ["JSONArgsRecommended", "FROM a\nCMD x y"],
    ["MaintainerDeprecated", "FROM a\nMAINTAINER m"],
    ["UndefinedArgInFrom", "ARG VERSION=1\nFROM a:1$VERSOIN"],
    ["WorkdirRelativePath", "FROM a\nWORKDIR x"],
    ["UndefinedVar", "FROM a\nCOPY $nope /"],
    ["MultipleInstructionsDisallowed", 'FROM a\nCMD ["a"]\nCMD ["b"]'],
    ["LegacyKeyValueFormat", "FROM a\nENV a b"],
    ["RedundantTargetPlatform", "FROM --platform=$TARGETPLATFORM a"],
    ["FromPlatformFlagConstDisallowed", "FROM --platform=linux/amd64 a"],
    ["SecretsUsedInArgOrEnv", "FROM a\nARG DB_PASSWORD"],
    ["SecretsUsedInArgOrEnv", "FROM a\nENV API_KEY=x"],
    ["InvalidDefaultArgInFrom", "ARG TAG\nFROM a:$TAG"],
    ["CopyIgnoredFile", "# check=experimental=all\nFROM a\nCOPY logs/x.log /"],
    ["ExposeProtoCasing", "FROM a\nEXPOSE 80/TCP"],
    ["ExposeInvalidFormat", "FROM a\nEXPOSE 127.0.0.1:80:80"],
    ["InvalidDefinitionDescription", "# check=experimental=all\n\n# bla\nFROM a AS b"],
  ]
  test.each(rules)("%s of %j", async (rule, text) => expect(await warned(text)).toContain(rule))

  test.each<string>([
    'FROM a AS b\nWORKDIR /x\nWORKDIR y\nENV a=b TOKEN_FILE=x\nARG c\nCOPY $a $c /\nSHELL ["/b"]\nCMD x',
    "from a as b\nrun x",
    "ARG V=1\nFROM a:$V\nARG PUBLIC_KEY\nENV x=${V:-1}\nEXPOSE 80/udp",
    "# check=experimental=all\n\n# b the stage\nFROM a AS b\n# a comment\n\nFROM b",
    "# any comment\nFROM a AS b",
    "FROM --platform=linux/arm64 a AS arm64-tools\nFROM --platform=$BUILDPLATFORM b",
  ])("none for %j", async (text) => expect((await warned(text)).filter((rule) => rule !== "UndefinedVar")).toEqual([]))

  test("tell the lines, the cure and a near name", async () => {
    const { warnings } = await plan("FROM a\nENV NAME=1\nRUN x\nUSER $NAMES")
    expect(warnings).toEqual([
      {
        rule: "UndefinedVar",
        message: "Usage of undefined variable '$NAMES' (did you mean $NAME?)",
        hint: "declare it with ARG or ENV first",
        source: { start: 4, end: 4 },
        quote: "   2 |     ENV NAME=1\n   3 |     RUN x\n   4 | >>> USER $NAMES",
      },
    ])
  })

  test("are silenced by the file, by a comment, by a build arg", async () => {
    expect(await warned("# check=skip=JSONArgsRecommended\nFROM a\nCMD x")).toEqual([])
    expect(await warned("# check=skip=all\nFROM a as B\nCMD x")).toEqual([])
    expect(await warned("FROM a\n# check=skip=JSONArgsRecommended\nCMD x")).toEqual([])
    expect((await plan("FROM a\nCMD x", { args: { BUILDKIT_DOCKERFILE_CHECK: "skip=all" } })).warnings).toEqual([])
  })

  test("are errors where the file says so", async () => {
    const text = "# check=error=true\nFROM a\nCMD x"
    await expect(plan(text)).rejects.toMatchObject({
      code: "InvalidArgument",
      message: "lint violation found for rules: JSONArgsRecommended",
    })
  })

  test("a front end by build arg is refused as one of the file", async () => {
    await expect(plan("FROM a", { args: { BUILDKIT_SYNTAX: "evil/x" } })).rejects.toMatchObject({ code: "Unsupported" })
  })
})

describe("checkBuild()", () => {
  test("adds rules of our own", async () => {
    expect(await linted('FROM a:1 AS unused\nRUN apt-get update && apt-get install -y x\nFROM b\nCMD ["x"]')).toEqual([
      "UnusedStage",
      "AptListsKept",
      "UnpinnedBaseImage",
      "RootUser",
    ])
    const clean = "FROM b:1\nRUN apt-get update && apt-get install -y x && rm -rf /var/lib/apt/lists/*\nUSER app"
    expect(await linted(clean)).toEqual([])
  })

  test("lints stages that the target does not need, unless one is named", async () => {
    const text = "FROM a:1 AS x\nCMD y\nFROM b:1\nUSER u"
    expect(await linted(text)).toContain("JSONArgsRecommended")
    expect(await linted(text, { target: "x" })).toContain("JSONArgsRecommended")
  })

  test("does without a base that cannot be had", async () => {
    const offline = options("FROM a:1\nCOPY $from_base /\nCMD x")
    offline.resolveBase = () => Promise.reject(new Error("offline"))
    expect((await checkBuild(offline)).map(({ rule }) => rule)).toEqual(["JSONArgsRecommended"])
  })
})

test("any Dockerfile is planned or refused with a SkiffError that names it", async () => {
  const line = fc.constantFrom(
    "FROM a AS one",
    "FROM one",
    "FROM scratch",
    "FROM $X AS two",
    "ARG X=a Y",
    "ENV A=$X B=${A:-c}",
    "RUN --mount=from=one,target=/m x",
    "RUN --mount=type=cache,target=$A x",
    "RUN <<E\n$A\nE",
    "COPY --from=two /a /b",
    "COPY --from=1 a $B",
    "COPY --link <<E $A\n${B}\nE",
    "ADD $X https://h/$A /",
    "WORKDIR $A",
    "USER $Y",
    "EXPOSE $X",
    "VOLUME $A",
    "STOPSIGNAL $X",
    "ONBUILD COPY --from=one / /",
    "CMD x",
    "HEALTHCHECK NONE",
    "SHELL []",
  )
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 12 }), fc.boolean(), async (text, onBuild) => {
      try {
        const made = await plan(
          `FROM a\n${text.join("\n")}`,
          onBuild ? { bases: { a: { OnBuild: ["RUN x", "COPY a b"] } } } : {},
        )
        expect(made.vertices.at(-1)).toBe(made.vertex)
        const layers = made.history.filter(({ vertex }) => vertex !== undefined)
        expect(layers.every(({ vertex }) => vertex !== undefined && made.vertices.includes(vertex))).toBe(true)
      } catch (error) {
        expect(error).toMatchObject({ code: expect.any(String), message: expect.stringContaining("Dockerfile:") })
      }
    }),
    { numRuns: 500 },
  )
})

test("vertices come after their inputs, and a long chain is no trouble", async () => {
  const { vertices } = await plan(`FROM a\n${Array.from({ length: 2000 }, (_, index) => `RUN ${index}`).join("\n")}`)
  const seen = new Set<Vertex>()
  for (const vertex of vertices) {
    expect(vertex.inputs.every((input) => seen.has(input))).toBe(true)
    seen.add(vertex)
  }
  expect(vertices).toHaveLength(2001)
})
