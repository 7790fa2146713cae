/** Volumes that are mounted while they are used: local ones with options, images, plugins. */
import { describe, expect, test } from "bun:test"
import { chownSync, existsSync, mkdirSync, readFileSync, rmdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { asRootOnly, openStore, rootlessOnly, testUnless } from "../support/store.ts"
import { user } from "../support/user.ts"
import { VolumePlugin } from "../support/volume-plugin.ts"

const skiff = openStore()
const run = (script: string, ...flags: string[]) => skiff.ok("run", "--rm", ...flags, "busybox", "sh", "-c", script)
const field = (name: string, format: string) => skiff.ok("volume", "inspect", "-f", format, name)
/** Its mounts are in the namespaces of an ordinary user. */
const mounted = async (path: string) =>
  (await skiff.ok("unshare", "sh", "-c", `grep -c ' ${path} ' /proc/self/mounts || true`)) !== "0"

const create = (...words: string[]) => ["volume", "create", ...words, "wrong"]

async function refused(...words: string[]): Promise<string> {
  const { code, stderr } = await skiff.run(words)
  expect({ words, refused: code !== 0 }).toEqual({ words, refused: true })
  expect(
    stderr
      .trim()
      .split("\n")
      .filter((line) => !line.includes("hint:")),
  ).toHaveLength(1)
  return stderr
}

describe("local", () => {
  test("type=tmpfs is memory as long as a container runs, and empty the next time", async () => {
    await skiff.ok("volume", "create", "-o", "type=tmpfs", "-o", "o=size=1m,mode=0750", "memory")
    const path = await field("memory", "{{.Mountpoint}}")
    expect(await run("grep ' /m ' /proc/mounts; stat -c %a /m; echo x > /m/x", "-v", "memory:/m")).toMatch(
      /^tmpfs \/m tmpfs .*size=1024k.*\n750$/,
    )
    expect(await mounted(path)).toBe(false)
    await skiff.ok(
      "run",
      "-d",
      "--name",
      "one",
      "-v",
      "memory:/m",
      "busybox",
      "sh",
      "-c",
      "echo shared > /m/x; sleep 1000",
    )
    await skiff.ok("run", "-d", "--name", "two", "-v", "memory:/m", "busybox", "sleep", "1000")
    expect(await skiff.ok("exec", "two", "cat", "/m/x")).toBe("shared")
    expect(await mounted(path)).toBe(true)
    await skiff.ok("rm", "-f", "one")
    expect(await skiff.ok("exec", "two", "cat", "/m/x")).toBe("shared")
    await skiff.ok("rm", "-f", "two")
    expect(await mounted(path)).toBe(false)
    await skiff.ok("volume", "rm", "memory")
  })

  test("a bind with words is mounted with them; a plain one is the directory itself", async () => {
    const path = join(skiff.directory, "bound")
    mkdirSync(path)
    writeFileSync(join(path, "file"), "from the host\n")
    for (const one of [path, join(path, "file")]) chownSync(one, user.uid, user.gid)
    const bind = (...words: string[]) => ["-o", "type=none", "-o", `device=${path}`, "-o", `o=bind${words.join("")}`]
    await skiff.ok("volume", "create", ...bind(), "plain")
    await skiff.ok("volume", "create", ...bind(",ro"), "readonly")
    expect(await field("plain", "{{.Mountpoint}}")).toBe(path)
    expect(await run("cat /r/file; touch /r/x 2>/dev/null || echo refused", "-v", "readonly:/r")).toBe(
      "from the host\nrefused",
    )
    expect(await run("touch /p/x && ls /p", "-v", "plain:/p")).toBe("file\nx")
    await skiff.ok("volume", "rm", "plain", "readonly")
    expect(readFileSync(join(path, "file"), "utf8")).toBe("from the host\n")
  })

  test("overlay takes its directories", async () => {
    const at = (name: string) => join(skiff.directory, name)
    for (const name of ["lower", "upper", "work"]) {
      mkdirSync(at(name))
      chownSync(at(name), user.uid, user.gid)
    }
    writeFileSync(join(at("lower"), "file"), "below\n")
    const o = `o=lowerdir=${at("lower")},upperdir=${at("upper")},workdir=${at("work")}${user.rootless ? ",userxattr" : ""}`
    await skiff.ok("volume", "create", "-o", "type=overlay", "-o", "device=overlay", "-o", o, "layers")
    expect(await run("cat /l/file; echo above > /l/new", "-v", "layers:/l")).toBe("below")
    expect(readFileSync(join(at("upper"), "new"), "utf8")).toBe("above\n")
    await skiff.ok("volume", "rm", "layers")
  })

  test("nocopy leaves a new volume empty", async () => {
    await skiff.ok("volume", "create", "--opt", "nocopy", "empty")
    expect(await run("ls /etc/passwd 2>/dev/null || echo none", "-v", "empty:/etc")).toBe("none")
    await skiff.ok("volume", "rm", "empty")
  })

  test("what cannot be is refused by name, with a remedy, and leaves nothing", async () => {
    expect(await refused(...create("-o", "colour=red"))).toContain("colour")
    expect(await refused(...create("-o", "type=nfs", "-o", "o=addr=192.0.2.1"))).toContain("missing device")
    expect(await refused(...create("-o", "type=none", "-o", "o=bind", "-o", "device=/nothing/here"))).toContain(
      "no such directory",
    )
    expect(await refused(...create("-d", "nosuch"))).toContain('plugin "nosuch" not found')
    const podman = await skiff.run(create("-d", "nosuch"), { env: { SKIFF_COMPAT: "podman" } })
    expect(podman.stderr).toContain("no volume plugin with name nosuch available: required plugin missing")
    expect(await refused(...create("-d", "image"))).toContain("image=NAME")
    expect(await refused(...create("-d", "image", "-o", "image=nosuch"))).toContain("nosuch")
    expect(await skiff.ok("volume", "ls", "-q")).toBe("")
  })

  testUnless(asRootOnly)("a file system that the kernel lacks is named at the first mount", async () => {
    await skiff.ok("volume", "create", "-o", "type=nosuchfs", "-o", "device=x", "lacking")
    const error = await refused("run", "--rm", "-v", "lacking:/l", "busybox", "true")
    expect(error).toContain('cannot mount volume "lacking" (nosuchfs of "x"): the kernel has no such file system')
    expect(error).toContain("modprobe nosuchfs")
    expect(await field("lacking", "{{.Name}}")).toBe("lacking")
    await skiff.ok("volume", "rm", "lacking")
  })

  testUnless(rootlessOnly)("an ordinary user is told that only root mounts nfs", async () => {
    const words = ["-o", "type=nfs", "-o", "o=addr=192.0.2.1", "-o", "device=:/x"]
    expect(await refused("volume", "create", ...words, "far")).toContain('only root can mount volumes of type "nfs"')
  })
})

describe("image", () => {
  test("begins as the image's files and keeps what is written; the image stays", async () => {
    await skiff.ok("volume", "create", "-d", "image", "-o", "image=busybox", "tree")
    expect(await run("echo kept > /t/new; ls /t/bin/busybox", "-v", "tree:/t")).toBe("/t/bin/busybox")
    expect(await run("cat /t/new", "-v", "tree:/t")).toBe("kept")
    expect(await field("tree", "{{.Driver}}")).toBe("image")
    await skiff.ok("volume", "export", "-o", join(skiff.home, "tree.tar"), "tree")
    expect(readFileSync(join(skiff.home, "tree.tar"), "latin1")).toContain("new\0")
    await skiff.ok("volume", "import", "tree", join(skiff.home, "tree.tar"))
    expect(await mounted(await field("tree", "{{.Mountpoint}}"))).toBe(false)
    await skiff.ok("volume", "rename", "tree", "grove")
    expect(await run("cat /t/new", "-v", "grove:/t")).toBe("kept")
    await skiff.ok("volume", "rm", "grove")
    expect(await run("ls /new 2>/dev/null || echo none")).toBe("none")
  })
})

test("an image's volume keeps what it stands on when the image goes", async () => {
  await skiff.ok("create", "--name", "maker", "busybox")
  await skiff.ok("commit", "maker", "lent:1")
  await skiff.ok("rm", "maker")
  await skiff.ok("volume", "create", "-d", "image", "-o", "image=lent:1", "tree")
  await skiff.ok("rmi", "lent:1")
  await skiff.ok("system", "prune", "-f")
  expect(await run("ls /t/bin/busybox", "-v", "tree:/t")).toBe("/t/bin/busybox")
  await skiff.ok("volume", "rm", "tree")
})

describe("plugins", () => {
  const name = `skiff-test-${process.pid}`
  const listen = () => VolumePlugin.listen(name, join(skiff.directory, "plugin"), skiff.home)

  test("make, mount for each container, unmount and remove", async () => {
    await using plugin = await listen()
    await skiff.ok("volume", "create", "-d", name, "-o", "colour=red", "-o", "o=timeout=20,a=b", "far")
    expect(plugin.calls.find(({ method }) => method === "VolumeDriver.Create")?.body).toEqual({
      Name: "far",
      Opts: { colour: "red", o: "a=b" },
    })
    expect(await skiff.ok("volume", "ls", "--format", "{{.Driver}} {{.Name}}")).toBe(`${name} far`)
    const [told] = JSON.parse(await skiff.ok("volume", "inspect", "far")) as Record<string, unknown>[]
    expect(told).toMatchObject({
      Mountpoint: join(skiff.directory, "plugin/far"),
      Scope: "global",
      Status: { held: 0 },
    })
    expect(await run("echo x > /f/x; cat /f/x", "-v", "far:/f")).toBe("x")
    expect(readFileSync(join(skiff.directory, "plugin/far/x"), "utf8")).toBe("x\n")
    expect(plugin.holders.get("far")?.size).toBe(0)
    const id = await skiff.ok("run", "-d", "--name", "user", "-v", "far:/f", "busybox", "sleep", "1000")
    expect([...(plugin.holders.get("far") ?? [])]).toEqual([id])
    expect(await refused("volume", "rm", "far")).toContain("user")
    await skiff.ok("rm", "-f", "user")
    expect(plugin.holders.get("far")?.size).toBe(0)
    await skiff.ok("volume", "rm", "far")
    expect(plugin.holders.size).toBe(0)
    // by the flags of a container
    await run("true", "--mount", `type=volume,src=near,dst=/n,volume-driver=${name},volume-opt=x=y`)
    await run("true", "--volume-driver", name, "-v", "nearer:/n")
    expect([...plugin.holders.keys()].toSorted()).toEqual(["near", "nearer"])
    await skiff.ok("volume", "rm", "near", "nearer")
  })

  test("volume reload follows what the plugin has", async () => {
    await using plugin = await listen()
    plugin.make("theirs")
    await skiff.ok("volume", "reload")
    expect(await skiff.ok("volume", "ls", "-q")).toBe("theirs")
    plugin.holders.delete("theirs")
    await skiff.ok("volume", "reload")
    expect(await skiff.ok("volume", "ls", "-q")).toBe("")
  })

  testUnless(asRootOnly)("one whose address stands in a file is found; a file without one is named", async () => {
    await using plugin = await listen()
    const files = ["/etc/docker", "/etc/docker/plugins"]
    const made = files.filter((path) => !existsSync(path))
    mkdirSync("/etc/docker/plugins", { recursive: true })
    const spec = (suffix: string) => `/etc/docker/plugins/${name}-other.${suffix}`
    const byFile = ["volume", "create", "-d", `${name}-other`, "by-file"]
    try {
      for (const [suffix, text] of [
        ["spec", `unix:///run/docker/plugins/${name}.sock\n`],
        ["json", JSON.stringify({ Name: "x", Addr: `unix:///run/docker/plugins/${name}.sock` })],
      ] as const) {
        writeFileSync(spec(suffix), text)
        await skiff.ok(...byFile)
        expect([...plugin.holders.keys()]).toEqual(["by-file"])
        await skiff.ok("volume", "rm", "by-file")
        rmSync(spec(suffix))
      }
      for (const [text, reason] of [
        ["ftp://x", "no address that is known"],
        [JSON.stringify({ Addr: "https://x", TLSConfig: {} }), "asks for TLS"],
        ["{", "is no JSON"],
      ] as const) {
        const suffix = text.startsWith("{") ? "json" : "spec"
        writeFileSync(spec(suffix), text)
        expect(await refused(...byFile)).toContain(reason)
        rmSync(spec(suffix))
      }
    } finally {
      for (const suffix of ["spec", "json"]) rmSync(spec(suffix), { force: true })
      for (const path of made.toReversed()) rmdirSync(path)
    }
  })

  test("a hostile one leads nowhere, is not waited for, and does not fill the memory", async () => {
    await using plugin = await listen()
    const make = ["volume", "create", "-d", name, "-o", "o=timeout=1", "bad"]
    await skiff.ok(...make)
    const start = ["run", "--rm", "-v", "bad:/b", "busybox", "true"]
    const answerMount = (text: string) =>
      (plugin.misbehave = ({ method }) => (method === "VolumeDriver.Mount" ? text : undefined))
    symlinkSync("/proc", join(skiff.directory, "to-proc"))
    for (const path of [
      "/",
      "/proc/1",
      "/sys",
      "relative",
      "",
      "/nothing/there",
      skiff.root,
      join(skiff.directory, "to-proc"),
    ]) {
      answerMount(JSON.stringify({ Mountpoint: path }))
      expect(await refused(...start)).toContain("gave a path that cannot be mounted")
    }
    answerMount(JSON.stringify({ Mountpoint: 7 }))
    expect(await refused(...start)).toContain("gave a path that cannot be mounted")
    answerMount(JSON.stringify({ Err: `no\u001B[31m way ${"x".repeat(5000)}` }))
    const said = await refused(...start)
    expect(said).toContain("VolumeDriver.Mount: no")
    expect(said.length).toBeLessThan(1000)
    expect(said).not.toContain("\u001B[31m")
    answerMount("<html>")
    expect(await refused(...start)).toContain("no JSON object")
    answerMount(`{"Err": "${"x".repeat(2 * 1024 * 1024)}"}`)
    expect(await refused(...start)).toContain("longer than")
    answerMount("hang")
    expect(await refused(...start)).toContain("no answer within 1 s")
    plugin.misbehave = () => undefined
    await skiff.ok("volume", "rm", "bad")
  })

  test("one that is gone keeps its volumes recorded, and says so", async () => {
    {
      await using _ = await listen()
      await skiff.ok("volume", "create", "-d", name, "lost")
    }
    expect(await refused("run", "--rm", "-v", "lost:/l", "busybox", "true")).toContain(`plugin "${name}" not found`)
    expect(await skiff.ok("volume", "ls", "-q")).toBe("lost")
    {
      await using plugin = await listen()
      plugin.make("lost")
      await skiff.ok("volume", "rm", "lost")
      await skiff.ok("volume", "create", "-d", name, "lost")
    }
    expect(await refused("volume", "rm", "lost")).toContain("not found")
    const { code, stderr } = await skiff.run(["volume", "rm", "-f", "lost"])
    expect({ code, warned: stderr.includes("may still have it") }).toEqual({ code: 0, warned: true })
    expect(await skiff.ok("volume", "ls", "-q")).toBe("")
  })
})
