/** The forms of `-v` and `--mount` beyond plain binds and volumes. */
import { spawnSync } from "node:child_process"
import { describe, expect, test } from "bun:test"
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { OCI_RUNTIMES } from "../support/oci-runtimes.ts"
import { asRootOnly, openStore, testUnless } from "../support/store.ts"
import { user } from "../support/user.ts"

const skiff = openStore()
const run = (script: string, ...flags: string[]) => skiff.ok("run", "--rm", ...flags, "busybox", "sh", "-c", script)
const TRY = (file: string) => `touch ${file} 2>/dev/null && echo written || echo refused`

const own = (path: string) => chownSync(path, user.uid, user.gid)

/** A tree of the user on the host. */
function hostTree(name: string, files: Readonly<Record<string, string>> = { file: "from the host\n" }): string {
  const path = join(skiff.directory, name)
  mkdirSync(path)
  own(path)
  for (const [file, text] of Object.entries(files)) {
    const parts = file.split("/").slice(0, -1)
    for (let n = 1; n <= parts.length; n++) {
      const directory = join(path, ...parts.slice(0, n))
      if (existsSync(directory)) continue
      mkdirSync(directory)
      own(directory)
    }
    writeFileSync(join(path, file), text)
    own(join(path, file))
  }
  return path
}

async function refused(...flags: string[]): Promise<string> {
  const { code, stderr } = await skiff.run(["run", "--rm", ...flags, "busybox", "true"])
  expect({ flags, code }).toEqual({ flags, code: 125 })
  return stderr
}

const optionsOf = (target: string) => `grep ' ${target} ' /proc/self/mounts | cut -d' ' -f4`

describe("words of a mount", () => {
  test("noexec, nosuid and nodev hold, and are told by inspect", async () => {
    const path = hostTree("words")
    const words = await run(optionsOf("/b"), "-v", `${path}:/b:noexec,nosuid,nodev,ro`)
    for (const one of ["ro", "noexec", "nosuid", "nodev"]) expect(words.split(",")).toContain(one)
    const run2 = "cp /bin/busybox /b/prog; /b/prog true 2>/dev/null && echo ran || echo refused"
    expect(await run(run2, "-v", `${path}:/b:noexec`)).toBe("refused")
    expect(await run(run2, "--mount", `type=bind,src=${path},dst=/b,noexec`)).toBe("refused")
    await skiff.ok("create", "--name", "words", "-v", `${path}:/b:ro,noexec`, "busybox")
    expect(await skiff.ok("inspect", "-f", "{{json .HostConfig.Binds}} {{(index .Mounts 0).Mode}}", "words")).toBe(
      `["${path}:/b:ro,noexec"] ro,noexec`,
    )
    await skiff.ok("rm", "words")
  })

  test("a colon of a name is escaped", async () => {
    const path = hostTree("with:colon")
    expect(await run("cat /b/file", "-v", `${path.replace(":", "\\:")}:/b`)).toBe("from the host")
  })

  test("what contradicts itself is refused, with one line", async () => {
    const path = hostTree("wrong")
    for (const [flag, value, reason] of [
      ["-v", `${path}:/b:ro,rw`, "invalid mode"],
      ["-v", `${path}:/b:exec,noexec`, "invalid mode"],
      ["-v", `${path}:/b:O,upperdir=/x`, "only one of upperdir and workdir"],
      ["-v", `${path}:/b:upperdir=/x,workdir=/y`, "upperdir and workdir are of an overlay"],
      ["--mount", `type=bind,src=${path},dst=/b,bind-recursive=readonly`, "requires 'readonly'"],
      ["--mount", `type=bind,src=${path},dst=/b,bind-recursive=perhaps`, "invalid value for bind-recursive"],
      ["--mount", `type=bind,src=${path},dst=/b,volume-nocopy`, "cannot mix 'volume-nocopy' with mount type 'bind'"],
      ["--mount", "type=volume,dst=/b,volume-subpath=x", "must not set Subpath when using anonymous volumes"],
      ["--mount", "type=volume,src=v,dst=/b,volume-subpath=../x", "invalid subpath"],
      ["--mount", "type=artifact,src=a,dst=/b", "artifact"],
      ["--mount", "type=glob,src=/nothing/like*,dst=/b", 'no file paths matching glob "/nothing/like*"'],
      ["--mount", "type=image,src=nosuch,dst=/b", 'no such image to mount: "nosuch"'],
    ] as const) {
      const text = await refused(flag, value)
      expect(text).toContain(reason)
      expect(
        text
          .trim()
          .split("\n")
          .filter((line) => !line.includes("hint:")),
      ).toHaveLength(1)
    }
    const twice = ["run", "--rm", "-v", "v:/b", "--tmpfs", "/b", "busybox", "true"]
    for (const [tool, words] of [
      ["skiff", 'duplicate mount point: "/b"'],
      ["docker", "Duplicate mount point: /b"],
      ["podman", "/b: duplicate mount destination"],
    ] as const) {
      const { code, stderr } = await skiff.run(twice, { env: { SKIFF_COMPAT: tool } })
      expect([code, stderr]).toEqual([125, expect.stringContaining(words)])
    }
    expect(await skiff.ok("volume", "ls", "-q")).toBe("")
  })
})

/** In a mount namespace of its own: a tmpfs lies at `sub` of the tree. */
function below(...flags: string[]): string {
  const command = skiff.command(["run", "--rm", ...flags, "busybox", "sh", "-c"])
  const script = `mount -t tmpfs below "$TREE/sub"; echo x > "$TREE/sub/x"; exec "$@"`
  const inside = "ls /b/sub; touch /b/sub/new 2>/dev/null && echo written || echo refused"
  const { stdout, stderr, status } = spawnSync("unshare", ["-m", "sh", "-c", script, "sh", ...command, inside], {
    encoding: "utf8",
    env: { ...skiff.env, TREE: join(skiff.directory, "below") },
  })
  if (status !== 0) throw new Error(stderr)
  return stdout.trim().replaceAll("\n", " ")
}

describe("mounts below a bind", () => {
  const onHost = testUnless(asRootOnly)
  onHost("are read-only with it, writable if that is said, or left away", async () => {
    const path = hostTree("below", { "sub/under": "" })
    expect(below("-v", `${path}:/b`)).toBe("x written")
    expect(below("-v", `${path}:/b:ro`)).toBe("x refused")
    expect(below("-v", `${path}:/b:rro`)).toBe("x refused")
    const mount = (words: string) => below("--mount", `type=bind,src=${path},dst=/b,${words}`)
    expect(mount("readonly,bind-recursive=writable")).toBe("x written")
    expect(mount("readonly,bind-recursive=readonly,bind-propagation=rprivate")).toBe("x refused")
    expect(mount("bind-recursive=disabled")).toBe("under written")
    expect(mount("bind-nonrecursive")).toBe("new under written")
  })
})

describe("overlays (O)", () => {
  test("take what is written, and forget it at the end; the directory stays as it was", async () => {
    const path = hostTree("lower")
    expect(await run("echo new > /b/file; rm -f /b/nothing; cat /b/file", "-v", `${path}:/b:O`)).toBe("new")
    expect(readFileSync(join(path, "file"), "utf8")).toBe("from the host\n")
    await skiff.ok(
      "run",
      "--name",
      "over",
      "-v",
      `${path}:/b:O`,
      "busybox",
      "sh",
      "-c",
      "cat /b/file; echo 1 > /b/file",
    )
    expect((await skiff.run(["start", "-a", "over"])).stdout).toBe("from the host\n")
    await skiff.ok("rm", "over")
  })

  test("keep it where upperdir and workdir are named", async () => {
    const path = hostTree("under")
    const [upper, work] = [hostTree("upper", {}), hostTree("work", {})]
    const flags = ["-v", `${path}:/b:O,upperdir=${upper},workdir=${work}`]
    await run("echo kept > /b/more", ...flags)
    expect(await run("cat /b/file /b/more", ...flags)).toBe("from the host\nkept")
    expect(readFileSync(join(upper, "more"), "utf8")).toBe("kept\n")
    expect(readdirSync(path)).toEqual(["file"])
  })

  test("of a volume, and of a directory whose name has commas", async () => {
    await run("echo base > /v/file", "-v", "base:/v")
    expect(await run("echo other > /v/file; cat /v/file", "-v", "base:/v:O")).toBe("other")
    expect(await run("cat /v/file", "-v", "base:/v")).toBe("base")
    await skiff.ok("volume", "rm", "base")
    const path = hostTree("a,b")
    expect(await run("touch /b/x; cat /b/file", "-v", `${path}:/b:O`)).toBe("from the host")
    expect(await refused("-v", `${path}/file:/b:O`)).toContain("is of a directory")
  })
})

describe("images", () => {
  test("are mounted read-only, or with a layer that goes at the end", async () => {
    const mount = "type=image,source=busybox,destination=/i"
    expect(await run(`test -x /i/bin/busybox && ${TRY("/i/x")}`, "--mount", mount)).toBe("refused")
    expect(await run(`${TRY("/i/x")}; ls /i/x`, "--mount", `${mount},rw=true`)).toBe("written\n/i/x")
    expect(await run("ls /i/x 2>/dev/null || echo none", "--mount", `${mount},rw=true`)).toBe("none")
    expect(await run("ls /i/busybox", "--mount", `${mount},subpath=bin`)).toBe("/i/busybox")
    expect(await refused("--mount", `${mount},image-subpath=nosuch`)).toContain('cannot access path "nosuch"')
  })

  test("stay as long as a container has them", async () => {
    await skiff.ok("create", "--name", "holder", "busybox")
    await skiff.ok("commit", "holder", "lent:1")
    await skiff.ok("rm", "holder")
    await skiff.ok("create", "--name", "user", "--mount", "type=image,src=lent:1,dst=/i", "busybox", "ls", "/i/bin/sh")
    const { code, stderr } = await skiff.run(["rmi", "lent:1"])
    expect({ code, told: stderr.includes("user") || stderr.includes("container") }).toEqual({ code: 1, told: true })
    await skiff.ok("image", "prune", "-af")
    expect((await skiff.run(["start", "-a", "user"])).stdout).toBe("/i/bin/sh\n")
    await skiff.ok("rm", "user")
    await skiff.ok("rmi", "lent:1")
  })
})

const part = (subpath: string) => ["--mount", `type=volume,src=parts,dst=/p,volume-subpath=${subpath}`]

describe("a part of a volume", () => {
  test("is a directory or a file, and no link leads out of it", async () => {
    await run(
      "mkdir -p /v/a/b; echo deep > /v/a/b/file; ln -s /etc /v/out; ln -s ../../.. /v/up; ln -s a/b /v/in",
      "-v",
      "parts:/v",
    )
    expect(await run("cat /p/file", ...part("a/b"))).toBe("deep")
    expect(await run("cat /p", ...part("a/b/file"))).toBe("deep")
    expect(await run("cat /p/file", ...part("in"))).toBe("deep")
    expect(await refused(...part("out"))).toContain('cannot access path "out"')
    expect(await run("ls /p", ...part("up"))).toContain("out") // `..` of its root is its root
    expect(await refused(...part("nosuch"))).toContain("no such file or directory")
    const stopped = await skiff.ok("create", ...part("a"), "busybox")
    await skiff.ok("cp", `${stopped}:/p/b/file`, join(skiff.home, "part"))
    expect(readFileSync(join(skiff.home, "part"), "utf8")).toBe("deep\n")
    await skiff.ok("rm", stopped)
    await skiff.ok("volume", "rm", "parts")
  })
})

describe("globs", () => {
  test("each match is mounted at its own path, or in a directory", async () => {
    const path = hostTree("globbed", { "one.txt": "1\n", "two.txt": "2\n", other: "" })
    expect(await run("cd /g && ls && cat *", "--mount", `type=glob,src=${path}/*.txt,dst=/g,ro`)).toBe(
      "one.txt\ntwo.txt\n1\n2",
    )
    expect(await run(`cat ${path}/two.txt`, "--mount", `type=glob,src=${path}/t*`)).toBe("2")
  })
})

describe("file systems that are made", () => {
  test("devpts has terminals of its own", async () => {
    expect(await run(`${optionsOf("/pts")}; ls /pts`, "--mount", "type=devpts,destination=/pts,max=4")).toMatch(
      /max=4[^]*ptmx/,
    )
  })

  test("tmpfs takes words as keys, and what the image has there with tmpcopyup", async () => {
    const mount = "type=tmpfs,dst=/etc,tmpfs-size=1m"
    expect(await run("ls /etc/passwd 2>/dev/null || echo empty", "--mount", `${mount},notmpcopyup`)).toBe("empty")
    expect(await run("ls /etc/passwd", "--mount", `${mount},tmpcopyup`)).toBe("/etc/passwd")
    expect(await run("ls /etc/passwd", "--tmpfs", "/etc:tmpcopyup")).toBe("/etc/passwd")
  })
})

test("a symbolic link of the host's is a source as what it leads to", async () => {
  const path = hostTree("linked")
  symlinkSync(path, join(skiff.directory, "link"))
  expect(await run("cat /b/file", "-v", `${join(skiff.directory, "link")}:/b`)).toBe("from the host")
})

test("inspect tells docker's Binds and Mounts, and podman's", async () => {
  const path = hostTree("told")
  const create = ["-v", `${path}:/b:ro,noexec`, "-v", "told:/v"]
  create.push("--mount", `type=bind,src=${path},dst=/m,bind-nonrecursive`)
  create.push("--mount", "type=volume,src=told,dst=/s,volume-subpath=x")
  await skiff.ok("create", "--name", "told", ...create, "busybox")
  const inspect = async (tool: string) => {
    const { stdout } = await skiff.run(["inspect", "told"], { env: { SKIFF_COMPAT: tool } })
    return (JSON.parse(stdout) as { HostConfig: { Binds: string[]; Mounts?: object[] }; Mounts: object[] }[])[0]
  }
  const docker = await inspect("docker")
  expect(docker?.HostConfig.Binds).toEqual([`${path}:/b:ro,noexec`, "told:/v"])
  expect(docker?.HostConfig.Mounts).toEqual([
    { Type: "bind", Source: path, Target: "/m", BindOptions: { NonRecursive: true } },
    { Type: "volume", Source: "told", Target: "/s", VolumeOptions: { Subpath: "x" } },
  ])
  const podman = await inspect("podman")
  expect(podman?.HostConfig.Binds).toContain(`${path}:/b:ro,rprivate,noexec,rbind`)
  expect(podman?.HostConfig.Binds).toContain("told:/v:rw,rprivate,rbind")
  expect(podman?.Mounts).toContainEqual(
    expect.objectContaining({ Type: "bind", Destination: "/m", Options: ["bind"], RW: true, Propagation: "rprivate" }),
  )
  await skiff.ok("rm", "told")
  await skiff.ok("volume", "rm", "told")
})

test("as podman a tmpfs begins with what the image has there", async () => {
  const ls = ["run", "--rm", "--tmpfs", "/etc", "busybox", "ls", "/etc/passwd"]
  expect((await skiff.run(ls, { env: { SKIFF_COMPAT: "podman" } })).stdout).toBe("/etc/passwd\n")
  expect((await skiff.run(ls)).stdout).toBe("")
  const without = ls.map((word) => (word === "/etc" ? "/etc:notmpcopyup" : word))
  expect((await skiff.run(without, { env: { SKIFF_COMPAT: "podman" } })).stdout).toBe("")
})

describe("each OCI runtime shows mounts as they were asked for", () => {
  for (const { name, missing } of OCI_RUNTIMES)
    testUnless(missing)(name, async () => {
      const path = hostTree(`by-${name}`)
      const flags = [
        "--runtime",
        name,
        "-v",
        `${path}:/ro:rro`,
        "-v",
        `${path}:/words:noexec,nosuid`,
        "-v",
        `${path}:/over:O`,
      ]
      flags.push("--mount", "type=image,src=busybox,dst=/image", "--tmpfs", "/etc/copied:tmpcopyup")
      flags.push("--mount", "type=devpts,dst=/pts", "--mount", `type=bind,src=${path},dst=/alone,bind-nonrecursive`)
      const script = [
        TRY("/ro/x"),
        optionsOf("/words"),
        "echo over > /over/file; cat /over/file /ro/file",
        TRY("/image/x"),
        "ls /pts /alone",
      ].join("; ")
      const shown = (await run(script, ...flags)).split("\n")
      expect(shown[0]).toBe("refused")
      for (const word of ["noexec", "nosuid"]) expect(shown[1]?.split(",")).toContain(word)
      expect(shown.slice(2, 5)).toEqual(["over", "from the host", "refused"])
      expect(shown).toContain("ptmx")
      expect(shown).toContain("file")
    })
})

testUnless(asRootOnly)("propagation: slave sees what the host mounts, shared gives back, private neither", () => {
  const path = hostTree("spread", { "sub/under": "" })
  const words = skiff.command([])
  const script = `
    mount --bind "$TREE" "$TREE"; mount --make-shared "$TREE";
    for how in rprivate rslave rshared; do
      "$@" run -d --name $how -v "$TREE:/b:$how" --cap-add SYS_ADMIN --security-opt seccomp=unconfined busybox sleep 1000 >/dev/null
    done
    mount -t tmpfs below "$TREE/sub"; touch "$TREE/sub/new"
    for how in rprivate rslave rshared; do echo $how: $("$@" exec $how ls /b/sub); done
    "$@" exec rshared mount -t tmpfs inside /b/sub; touch "$TREE/sub/both"
    echo back: $("$@" exec rshared ls /b/sub)
    "$@" rm -f rprivate rslave rshared >/dev/null`
  const { stdout, stderr, status } = spawnSync("unshare", ["-m", "sh", "-ec", script, "sh", ...words], {
    encoding: "utf8",
    env: { ...skiff.env, TREE: path },
  })
  if (status !== 0) throw new Error(stderr)
  expect(stdout.trim().split("\n")).toEqual(["rprivate: under", "rslave: new", "rshared: new", "back: both"])
})
