/** Hostile builds: refused, or all they do stays inside. */
import { afterAll, afterEach, describe, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { build, built, makeContext, type ContextFiles } from "../support/build.ts"
import { Canary } from "../support/canary.ts"
import { serve } from "../support/http.ts"
import { openStore } from "../support/store.ts"
import { tar } from "../support/tar.ts"
import { user } from "../support/user.ts"

const skiff = openStore()
const canary = new Canary()
const up = `${"../".repeat(20)}${canary.path.slice(1)}`

afterEach(() => canary.check())
afterAll(() => canary.remove())

/** Refused with a reason, and without a crash. */
async function refused(files: ContextFiles, reason: RegExp, ...flags: string[]): Promise<string> {
  const { code, stdout, stderr } = await build(skiff, files, ...flags)
  expect(code).not.toBe(0)
  expect(stderr).toMatch(reason)
  expect(stderr).not.toMatch(/^\s+at .*\.ts/m)
  expect(`${stdout}${stderr}`).not.toContain("alive")
  return stderr
}

/** A file that the user has, and the build must not see. */
function hostSecret(name: string): string {
  const path = join(skiff.home, name)
  writeFileSync(path, "FROM alive\n")
  chownSync(path, user.uid, user.gid)
  return path
}

describe("git (CVE-2019-13139)", () => {
  test.each([
    `https://127.0.0.1/x.git#--upload-pack=touch ${canary.path}`,
    "https://127.0.0.1/x.git#-x",
    "git://-oProxyCommand=touch/x.git",
    "ssh://-oProxyCommand=touch%20x/y.git",
    "git@-oProxyCommand=touch:x.git",
  ])("%s is no option", async (url) => {
    const { code, stderr } = await skiff.run(["build", url])
    expect(code).not.toBe(0)
    expect(stderr).not.toMatch(/^\s+at .*\.ts/m)
  })

  test("a program as transport is refused, in ADD too", async () => {
    const { code } = await skiff.run(["build", `ext::sh -c "echo dead > ${canary.path}".git`])
    expect(code).not.toBe(0)
    await refused({ Dockerfile: "FROM busybox\nADD ext::sh%20-c%20true.git /x\n" }, /ext/)
  })

  test("a sub-directory or a link of the repository does not lead outside", async () => {
    const repository = makeContext(skiff, { Dockerfile: "FROM busybox\nCOPY . /c\n" })
    symlinkSync(canary.directory, join(repository, "out"))
    symlinkSync("/", join(repository, "root"))
    const git = (...args: string[]) =>
      spawnSync("git", ["-c", "safe.directory=*", "-c", "user.name=t", "-c", "user.email=t@t", ...args], {
        cwd: repository,
      })
    git("init", "-q", "-b", "main")
    git("add", ".")
    git("commit", "-q", "-m", "x")
    git("update-server-info")
    // git's dumb protocol: plain files
    await using server = await serve((request, response) => {
      const path = join(repository, ".git", (request.url ?? "").split("?")[0]?.replace("/r.git", "") ?? "")
      if (existsSync(path)) response.end(readFileSync(path))
      else response.writeHead(404).end()
    })
    const url = `http://127.0.0.1:${server.port}/r.git`
    for (const directory of ["../../etc", "root/etc", "out"]) {
      const { code, stderr } = await skiff.run(["build", `${url}#main:${directory}`])
      expect(code).not.toBe(0)
      expect(stderr).not.toContain("alive")
    }
    const id = await skiff.ok("build", "-q", `${url}#main`)
    expect(await skiff.ok("run", "--rm", id, "readlink", "/c/out")).toBe(canary.directory)
  })
})

describe("links that lead to the host", () => {
  test("as Dockerfile or ignore file (CVE-2022-4122)", async () => {
    const secret = hostSecret("dockerfile")
    for (const name of ["Dockerfile", "Containerfile"]) await refused({ [name]: { link: secret } }, /Dockerfile|link/)
    await refused({ Other: { link: secret } }, /./, "-f", "Other")
    for (const name of [".dockerignore", ".containerignore"]) {
      const { stdout, stderr } = await build(skiff, { Dockerfile: "FROM busybox\n", [name]: { link: secret } })
      expect(`${stdout}${stderr}`).not.toContain("alive")
    }
  })

  test("as source of COPY", async () => {
    const files = { link: { link: canary.directory }, file: { link: canary.path } }
    for (const source of ["link/canary", "link/*", "file/"])
      await refused({ ...files, Dockerfile: `FROM busybox\nCOPY ${source} /x/\n` }, /./)
    await refused({ Dockerfile: `FROM busybox\nCOPY ${up} /x\n` }, /./)
    await refused({ Dockerfile: `FROM busybox\nCOPY ${canary.path} /x\n` }, /./)
  })

  test("as target of COPY, WORKDIR and ADD", async () => {
    const lead = `FROM busybox\nRUN ln -s ${canary.directory} /l && ln -s / /r\n`
    const files = { f: "dead", "a.tar": tar([{ name: "canary", content: "dead" }]) }
    for (const line of ["COPY f /l/canary", `COPY f /r${canary.path}`, "ADD a.tar /l/", "WORKDIR /l/made"])
      await build(skiff, { ...files, Dockerfile: `${lead}${line}\n` })
    expect(readdirSync(canary.directory)).toEqual(["canary"])
  })

  test("as source of a bind mount (CVE-2024-1753)", async () => {
    const files = { link: { link: "/" }, dir: { link: canary.directory } }
    const stage = `FROM busybox AS stage\nRUN ln -s / /root-link && ln -s ${canary.directory} /dir-link\nFROM busybox\n`
    const look = `ls -a /m; cat /m/canary /m${canary.path} 2>&1 || true\n`
    for (const mount of [
      "source=link,rw",
      "source=dir,rw",
      "source=/../..",
      "from=stage,source=/root-link,rw",
      "from=stage,source=/dir-link",
    ]) {
      const { stdout, stderr } = await build(skiff, {
        ...files,
        Dockerfile: `${stage}RUN --mount=type=bind,target=/m,${mount} ${look}`,
      })
      expect(`${stdout}${stderr}`).not.toContain("alive")
    }
  })

  test("within a tar context", async () => {
    const dockerfile = { name: "Dockerfile", content: "FROM busybox\nCOPY . /c\n" }
    const archives = [
      tar([dockerfile, { name: up, content: "dead" }]),
      tar([
        dockerfile,
        { name: "a", type: "symlink", linkName: canary.directory },
        { name: "a/canary", content: "dead" },
      ]),
      tar([dockerfile, { name: "h", type: "hardlink", linkName: canary.path }]),
      tar([{ name: "Dockerfile", type: "symlink", linkName: hostSecret("in-tar") }]),
    ]
    for (const [index, archive] of archives.entries()) {
      const path = join(skiff.directory, `hostile-${index}.tar`)
      writeFileSync(path, archive)
      const { stdout, stderr } = await skiff.run(["build", path])
      expect(`${stdout}${stderr}`).not.toMatch(/alive|^\s+at .*\.ts/m)
    }
    expect(readdirSync(canary.directory)).toEqual(["canary"])
  })
})

describe("mounts of RUN", () => {
  test.each(["shared", "rshared", "junk"])("bind-propagation=%s is refused (CVE-2024-9407)", async (propagation) => {
    await refused(
      { Dockerfile: `FROM busybox\nRUN --mount=type=bind,target=/m,bind-propagation=${propagation} true\n` },
      /propagation/,
    )
  })

  test("the id of a cache does not leave the cache (CVE-2024-9675)", async () => {
    for (const id of ["../../../../../../tmp", "/etc", "..", ".", "a/../../b", "x".repeat(4096)]) {
      const dockerfile = `FROM busybox\nRUN --mount=type=cache,target=/c,id=${id} ls /c > /out; touch /c/mine\n`
      const image = await built(skiff, { Dockerfile: dockerfile })
      expect(await skiff.ok("run", "--rm", image, "cat", "/out")).toBe("")
    }
    const source = `FROM busybox AS s\nRUN ln -s ${canary.directory} /l\nFROM busybox\nRUN --mount=type=cache,target=/c,id=src,from=s,source=/l cat /c/canary; true\n`
    const { stderr } = await build(skiff, { Dockerfile: source })
    expect(stderr).not.toContain("alive")
  })

  test("a swapped source is never the host's (CVE-2024-11218)", async () => {
    const dockerfile = `FROM busybox AS swap
RUN --mount=type=cache,target=/c,id=swap i=0; while [ $i -lt 400 ]; do rm -rf /c/d; mkdir -p /c/d; rm -rf /c/d; ln -s / /c/d; i=$((i+1)); done; touch /done
FROM busybox AS look
RUN --mount=type=cache,target=/c,id=swap i=0; while [ $i -lt 400 ]; do cat /c/d${canary.path} 2>/dev/null; i=$((i+1)); done; touch /done
FROM busybox
RUN --mount=type=cache,target=/m,id=swap,source=d cat /m${canary.path}; true
COPY --from=swap /done /1
COPY --from=look /done /2
`
    const { stdout, stderr } = await build(skiff, { Dockerfile: dockerfile }, "--jobs", "2")
    expect(`${stdout}${stderr}`).not.toContain("alive")
  })

  test("clean-up of mount points does not follow what RUN put there (CVE-2024-23652)", async () => {
    const dockerfile = `FROM busybox
RUN --mount=type=tmpfs,target=/p/q/canary umount /p/q/canary 2>/dev/null; rm -rf /p/q 2>/dev/null; mv /p /p2 2>/dev/null; ln -s ${canary.directory} /p; true
RUN true
`
    await build(skiff, { Dockerfile: dockerfile })
    expect(readdirSync(canary.directory)).toEqual(["canary"])
  })

  test("what is written into a bind of the context stays away from it (CVE-2025-4953)", async () => {
    const files = {
      f: "same",
      Dockerfile: "FROM busybox\nRUN --mount=type=bind,target=/m,rw echo dead > /m/f; echo x > /m/new\n",
    }
    const directory = makeContext(skiff, files)
    await skiff.ok("build", "-q", directory)
    expect(readFileSync(join(directory, "f"), "utf8")).toBe("same")
    expect(readdirSync(directory).toSorted()).toEqual(["Dockerfile", "f"])
  })
})

describe("privileges", () => {
  test("a front end of the network is not run (CVE-2024-23653)", async () => {
    const { stderr, code } = await build(skiff, {
      Dockerfile: "# syntax=evil.example/front:end\nFROM busybox\nRUN true\n",
    })
    if (code !== 0) expect(stderr).toMatch(/syntax/)
    expect((await skiff.ok("images", "--format", "{{.Repository}}")).split("\n")).not.toContain("evil.example/front")
  })

  test("RUN --security=insecure and --network=host need a grant", async () => {
    await refused({ Dockerfile: "FROM busybox\nRUN --security=insecure id\n" }, /security\.insecure/)
    await refused({ Dockerfile: "FROM busybox\nRUN --network=host id\n" }, /network\.host/)
  })

  test("a step is confined: no devices, no new privileges over the host, seccomp on", async () => {
    const dockerfile = `FROM busybox
RUN grep Seccomp: /proc/self/status | tr -d '\\t' > /out; grep CapEff /proc/self/status | cut -f 2 >> /out; ls /dev | grep -c -e sda -e vda -e kmsg -e mem >> /out; mount -t tmpfs x /mnt 2>/dev/null && echo mounted >> /out; echo x > /proc/sys/kernel/core_pattern 2>/dev/null && echo wrote >> /out; cat /out
`
    const image = await built(skiff, { Dockerfile: dockerfile })
    const [seccomp, capabilities, devices, ...more] = (await skiff.ok("run", "--rm", image, "cat", "/out")).split("\n")
    expect({ seccomp, devices, more }).toEqual({ seccomp: "Seccomp:2", devices: "0", more: [] })
    // neither SYS_ADMIN nor SYS_MODULE nor SYS_PTRACE
    expect(BigInt(`0x${capabilities}`) & ((1n << 21n) | (1n << 16n) | (1n << 19n))).toBe(0n)
  })

  test("the caller's environment does not reach a step", async () => {
    const directory = makeContext(skiff, { Dockerfile: "FROM busybox\nRUN env; echo $HOSTSECRET > /out\n" })
    const { stdout } = await skiff.run(["build", "-q", "--no-cache", directory], { env: { HOSTSECRET: "alive" } })
    expect(await skiff.ok("run", "--rm", stdout.trim(), "cat", "/out")).toBe("")
  })
})

describe("secrets", () => {
  const mark = "SECRETMARKER"

  /** Every file of the store and of its run directory. */
  const stored = (): string =>
    spawnSync("grep", ["-rlaF", mark, skiff.root, skiff.runRoot], { encoding: "utf8" }).stdout.trim()

  test("of a build are in no layer, history, cache or log", async () => {
    const file = join(skiff.home, "secret")
    writeFileSync(file, mark)
    chownSync(file, user.uid, user.gid)
    const dockerfile = `FROM busybox
RUN --mount=type=secret,id=s,target=/etc/secret cat /etc/secret | wc -c > /out
RUN --mount=type=secret,id=s,env=S test -n "$S"
RUN ls /etc/secret 2>/dev/null || echo gone >> /out
`
    const id = await built(skiff, { Dockerfile: dockerfile }, "--secret", `id=s,src=${file}`)
    expect(await skiff.ok("run", "--rm", id, "cat", "/out")).toBe(`${mark.length}\ngone`)
    expect(stored()).toBe("")
  })

  test("a password in a URL is not shown, nor kept", async () => {
    const url = `http://user:${mark}@127.0.0.1:1/x`
    const { stdout, stderr } = await build(skiff, { Dockerfile: `FROM busybox\nADD ${url} /x\n` })
    const git = await skiff.run(["build", `http://user:${mark}@127.0.0.1:1/x.git`])
    expect(git.code).not.toBe(0)
    expect(git.stderr).not.toContain(mark)
    // the Dockerfile's own line is quoted; nothing else says it
    expect(`${stdout}${stderr}`.replaceAll(/^.*ADD http.*$/gm, "")).not.toContain(mark)
    expect(stored()).toBe("")
  })
})

describe("sizes", () => {
  test("a Dockerfile without end, a line without end, a million stages", async () => {
    await refused({ Dockerfile: "# x\n".repeat(2 << 20) }, /Dockerfile/)
    await refused({ Dockerfile: `FROM busybox\nRUN echo ${"x".repeat(300_000)}\nRUN false` }, /./)
    await refused({ Dockerfile: "FROM busybox\n".repeat(20_000) + "RUN false\n" }, /./)
  }, 30_000)

  test("variables that grow by each other", async () => {
    const lines = Array.from({ length: 40 }, (_, index) => `ENV V${index + 1}="$V${index}$V${index}"`)
    await refused({ Dockerfile: `FROM busybox\nENV V0=xxxxxxxxxx\n${lines.join("\n")}\nRUN false\n` }, /./)
  })

  test("output without end is cut short on the screen and stops with its step", async () => {
    const { code } = await build(skiff, { Dockerfile: "FROM busybox\nRUN yes | head -c 20000000; false\n" })
    expect(code).toBe(1)
  })
})

test("a context that the user may not read is an error, not a leak", async () => {
  const directory = makeContext(skiff, { Dockerfile: "FROM busybox\nCOPY . /c\n" })
  mkdirSync(join(directory, "closed"), { mode: 0o000 })
  const { code, stderr } = await skiff.run(["build", directory])
  if (user.rootless) {
    expect(code).toBe(1)
    expect(stderr).toContain("closed")
  }
  expect(stderr).not.toMatch(/^\s+at .*\.ts/m)
})
