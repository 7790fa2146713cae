/** `skiff build`: the image's config, where files come from, where the result goes. */
import { describe, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { chownSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { built, inspectImage, makeContext, runBuilt } from "../support/build.ts"
import { serve } from "../support/http.ts"
import { openStore } from "../support/store.ts"
import { tar } from "../support/tar.ts"
import { user } from "../support/user.ts"

const skiff = openStore()
const run = (dockerfile: string, script: string, files = {}) => runBuilt(skiff, dockerfile, script, files)
const configOf = async (dockerfile: string, ...flags: string[]) =>
  (await inspectImage(skiff, await built(skiff, { Dockerfile: dockerfile }, ...flags))).Config
/** The words of skiff, to stand in a pipe. */
const quoted = (...args: string[]) =>
  skiff
    .command(args)
    .map((word) => `'${word}'`)
    .join(" ")

const fileOf = async (url: string) => skiff.ok("run", "--rm", await skiff.ok("build", "-q", url), "cat", "/f")

describe("the config", () => {
  test("is what the instructions say", async () => {
    const config = await configOf(`FROM busybox
ENV A=1 B="two words"
ENV C \${A:-none}\${D:+set}
LABEL one=1 "two words"="x y"
EXPOSE 80 53/udp 8000-8002
VOLUME ["/data", "/more"]
USER 1000:1000
WORKDIR /srv
WORKDIR app
STOPSIGNAL SIGQUIT
HEALTHCHECK --interval=5s --timeout=2s --start-period=1s --retries=3 CMD true || exit 1
SHELL ["/bin/sh", "-ec"]
ONBUILD RUN echo later
ENTRYPOINT ["/bin/echo"]
CMD ["hello"]
`)
    expect(config).toMatchObject({
      Env: expect.arrayContaining(["A=1", "B=two words", "C=1"]) as unknown,
      Labels: { one: "1", "two words": "x y" },
      ExposedPorts: { "80/tcp": {}, "53/udp": {}, "8000/tcp": {}, "8001/tcp": {}, "8002/tcp": {} },
      Volumes: { "/data": {}, "/more": {} },
      User: "1000:1000",
      WorkingDir: "/srv/app",
      StopSignal: "SIGQUIT",
      Entrypoint: ["/bin/echo"],
      Cmd: ["hello"],
    })
  })

  test("shell forms are wrapped; ENTRYPOINT clears the base's CMD", async () => {
    expect(await configOf("FROM busybox\nCMD echo $HOME\n")).toMatchObject({ Cmd: ["/bin/sh", "-c", "echo $HOME"] })
    const base = await built(skiff, { Dockerfile: 'FROM busybox\nCMD ["a"]\n' })
    expect((await configOf(`FROM ${base}\nENTRYPOINT ["b"]\n`)).Cmd ?? null).toBeNull()
  })

  test("ONBUILD runs in the build that stands on it", async () => {
    const base = "FROM busybox\nONBUILD COPY f /f\nONBUILD RUN echo run >> /f\n"
    await built(skiff, { Dockerfile: base }, "-t", "onbuild-base")
    expect(await run("FROM onbuild-base\nRUN echo own >> /f\n", "cat /f", { f: "copied " })).toBe("copied run\nown")
  })

  test("ARG before FROM, TARGETPLATFORM, --build-arg, --label, --target", async () => {
    const dockerfile = `ARG BASE=nonsense
FROM \${BASE} AS first
ARG V=default
ARG TARGETARCH TARGETPLATFORM
LABEL v=$V arch=$TARGETARCH platform=$TARGETPLATFORM
FROM first AS second
LABEL second=yes
`
    const flags = ["--build-arg", "BASE=busybox", "--build-arg", "V=given", "--label", "cli=yes", "--target", "first"]
    const arch = process.arch === "x64" ? "amd64" : process.arch
    expect((await configOf(dockerfile, ...flags)).Labels).toEqual({
      v: "given",
      arch,
      platform: `linux/${arch}`,
      cli: "yes",
    })
  })

  test("FROM scratch has what was copied and nothing else", async () => {
    const dockerfile = "FROM busybox AS a\nRUN echo x > /x\nFROM scratch\nCOPY --from=a /x /only\n"
    const directory = makeContext(skiff, { Dockerfile: dockerfile })
    const out = join(directory, "out")
    await skiff.ok("build", "-o", out, directory)
    expect(spawnSync("find", [out, "-type", "f"]).stdout.toString().trim()).toBe(join(out, "only"))
    expect(statSync(join(out, "only")).uid).toBe(user.uid)
  })
})

describe("contexts", () => {
  const dockerfile = "FROM busybox\nCOPY f /f\n"
  const archive = tar([
    { name: "Dockerfile", content: dockerfile },
    { name: "f", content: "of the archive" },
  ])

  test("a Dockerfile on standard input has no files", async () => {
    const { stdout, stderr } = await skiff.run(["build", "-q", "-"], { stdin: "FROM busybox\nRUN echo piped > /out\n" })
    expect(stderr).toBe("")
    expect(await skiff.ok("run", "--rm", stdout.trim(), "cat", "/out")).toBe("piped")
    const none = await skiff.run(["build", "-q", "-"], { stdin: dockerfile })
    expect({ code: none.code, stderr: none.stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining("f") as string,
    })
  })

  test("a tar archive on standard input, and as a file", async () => {
    const path = join(skiff.directory, "context.tar")
    writeFileSync(path, archive)
    const piped = spawnSync("sh", ["-c", `gzip -c ${path} | ${quoted("build", "-q", "-")}`], { env: skiff.env })
    expect(piped.stderr.toString()).toBe("")
    const id = piped.stdout.toString().trim()
    expect(await skiff.ok("run", "--rm", id, "cat", "/f")).toBe("of the archive")
    expect(await skiff.ok("build", "-q", path)).toBe(id)
  })

  test("a Dockerfile on standard input beside a directory", async () => {
    const directory = makeContext(skiff, { f: "of the directory" })
    const { stdout, stderr } = await skiff.run(["build", "-q", "-f", "-", directory], { stdin: dockerfile })
    expect(stderr).toBe("")
    expect(await skiff.ok("run", "--rm", stdout.trim(), "cat", "/f")).toBe("of the directory")
  })

  test("an archive by URL, a Dockerfile by URL", async () => {
    const text = "FROM busybox\nRUN echo url > /f\n"
    await using server = await serve((request, response) => response.end(request.url === "/a.tar" ? archive : text))
    const at = `http://127.0.0.1:${server.port}`
    expect(await fileOf(`${at}/a.tar`)).toBe("of the archive")
    expect(await fileOf(`${at}/Dockerfile`)).toBe("url")
  })

  test("named contexts: a directory, an image in the place of a stage's base", async () => {
    const more = makeContext(skiff, { f: "named" })
    const files = { Dockerfile: "FROM base\nCOPY --from=more f /f\n" }
    const flags = ["--build-context", `more=${more}`, "--build-context", "base=docker-image://busybox"]
    expect(await skiff.ok("run", "--rm", await built(skiff, files, ...flags), "cat", "/f")).toBe("named")
  })

  test("Containerfile is found where there is no Dockerfile", async () => {
    expect(await built(skiff, { Containerfile: "FROM busybox\n" })).toStartWith("sha256:")
  })
})

describe("outputs", () => {
  const dockerfile = `FROM busybox AS a
RUN echo out > /f && chmod 640 /f
FROM scratch
COPY --from=a /f /d/f
CMD ["x"]
`
  const files = { Dockerfile: dockerfile }

  test("the image has its tags, --iidfile its id, --metadata-file its digests", async () => {
    const iid = join(skiff.home, "iid")
    const metadata = join(skiff.home, "metadata.json")
    const flags = ["-t", "named/one", "-t", "two:2", "--iidfile", iid, "--metadata-file", metadata]
    const id = await built(skiff, files, ...flags)
    expect(id).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(readFileSync(iid, "utf8")).toBe(id)
    expect(await skiff.ok("images", "-q", "--no-trunc", "named/one")).toBe(id)
    expect(await skiff.ok("images", "-q", "--no-trunc", "two:2")).toBe(id)
    expect(JSON.parse(readFileSync(metadata, "utf8"))).toMatchObject({
      "containerimage.config.digest": id,
      "containerimage.digest": expect.stringMatching(/^sha256:/) as unknown,
    })
  })

  test("podman's -v, --cap-add and --no-hosts reach RUN; --logfile has what else the terminal shows", async () => {
    const Dockerfile =
      "FROM busybox\nRUN cat /host/f > /copied && ! touch /host/new && ! grep -q . /etc/hosts\n" +
      "RUN grep CapEff /proc/self/status > /caps\n"
    const directory = makeContext(skiff, { Dockerfile, "shared/f": "of the host\n" })
    const log = join(skiff.home, "build.log")
    const flags = ["-v", `${directory}/shared:/host:ro`, "--cap-drop", "ALL", "--cap-add", "NET_RAW", "--no-hosts"]
    const { code, stderr } = await skiff.run(["build", "-t", "podmans", ...flags, "--logfile", log, directory])
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    expect(readFileSync(log, "utf8")).toMatch(/RUN cat .host.f/)
    expect(await skiff.ok("run", "--rm", "podmans", "cat", "/copied", "/caps")).toBe(
      "of the host\nCapEff:\t0000000000002000",
    )
  })

  test("-o - is a tar on standard output, of the files as they are", async () => {
    const script = `${quoted("build", "-o", "-", makeContext(skiff, files))} | tar -tvf - --numeric-owner`
    const { stdout } = spawnSync("sh", ["-c", script], { env: skiff.env })
    expect(stdout.toString()).toMatch(/-rw-r----- 0\/0 +4 .* d\/f\n/)
  })

  test.each(["oci", "docker"])("type=%s is an archive that skopeo reads", async (type) => {
    const path = join(skiff.directory, `${type}.tar`)
    await skiff.ok("build", "-t", "out:1", "-o", `type=${type},dest=${path}`, makeContext(skiff, files))
    const { stdout, stderr } = spawnSync("skopeo", ["inspect", "--config", `${type}-archive:${path}`])
    expect(stderr.toString()).toBe("")
    expect(JSON.parse(stdout.toString())).toMatchObject({ config: { Cmd: ["x"] } })
  })

  test("a directory that is there already keeps its other files", async () => {
    const directory = makeContext(skiff, files)
    const out = join(directory, "out")
    mkdirSync(out)
    writeFileSync(join(out, "kept"), "")
    chownSync(out, user.uid, user.gid)
    await skiff.ok("build", "--output", `type=local,dest=${out}`, directory)
    expect(readFileSync(join(out, "d/f"), "utf8")).toBe("out\n")
    expect(existsSync(join(out, "kept"))).toBe(true)
  })

  test("Buildah's --from, --env and --omit-history", async () => {
    const flags = ["--from", "busybox", "--env", "A=1", "--omit-history"]
    const id = await built(skiff, { Dockerfile: 'FROM none\nRUN test "$A" = 1\n' }, ...flags)
    expect((await inspectImage(skiff, id)).Config.Env).toContain("A=1")
    expect(await skiff.ok("history", "--format", "{{.CreatedBy}}", id)).toBe("")
  })

  test("--explain-layers tells what each line costs, what is deleted again, and what the ignore file saves", async () => {
    const directory = makeContext(skiff, {
      Dockerfile: "FROM busybox\nRUN head -c 50000 /dev/zero > /zeros\nRUN rm /zeros\nCOPY small /\n",
      ".dockerignore": "big",
      small: "12345",
      big: "x".repeat(300_000),
    })
    const { stderr } = await skiff.run(["build", "--explain-layers", directory])
    expect(stderr).toMatch(/^2 +50kB +50kB +RUN .*\n3 .*\n4 +5B +COPY small/m)
    expect(stderr).toMatch(/^context of \d+B; the ignore file excludes 300kB more$/m)
  })

  test("--squash makes one new layer", async () => {
    const text = "FROM busybox\nRUN echo 1 > /a && echo gone > /b\nRUN echo 2 >> /a && rm /b\n"
    const id = await built(skiff, { Dockerfile: text }, "--squash")
    const base = (await inspectImage(skiff, "busybox")).RootFS.Layers
    expect((await inspectImage(skiff, id)).RootFS.Layers).toHaveLength(base.length + 1)
    expect(await skiff.ok("run", "--rm", id, "sh", "-c", "cat /a; ls /b 2>/dev/null | wc -l")).toBe("1\n2\n0")
  })
})
