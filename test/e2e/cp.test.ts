/** cp: files in and out of containers, as docker does it. Each rule was looked up at docker 28. */
import { beforeAll, describe, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { dirname, join } from "node:path"
import { asRootOnly, openStore, testUnless } from "../support/store.ts"
import { tar } from "../support/tar.ts"
import { openTerminal } from "../support/terminal.ts"
import { user } from "../support/user.ts"
import { eventually } from "../support/wait.ts"

const skiff = openStore()
const place = (name: string) => join(skiff.home, name)
const own = (path: string) => chownSync(path, user.uid, user.gid)

/** A file of the user's, with its directory. */
function hostFile(name: string, content = "hello\n"): string {
  const path = place(name)
  if (!existsSync(dirname(path))) hostDirectory(dirname(path).slice(skiff.home.length + 1))
  writeFileSync(path, content)
  own(path)
  return path
}

function hostDirectory(name: string): string {
  const path = place(name)
  if (!existsSync(dirname(path))) hostDirectory(dirname(path).slice(skiff.home.length + 1))
  mkdirSync(path, { recursive: true })
  own(path)
  return path
}

const cp = (...args: string[]) => skiff.run(["cp", ...args])

/** What tar lists of the archive that is written to standard output. */
function listed(source: string, how = "-t"): string {
  const words = skiff.command(["cp", source, "-"])
  const shell = ["-c", `"$@" | tar ${how} --numeric-owner`, "sh", ...words]
  return spawnSync("sh", shell, { env: skiff.env }).stdout.toString()
}

const names = (container: string, path: string) => listed(`${container}:${path}`).split("\n").filter(Boolean).toSorted()

async function text(container: string, path: string): Promise<string> {
  const out = place(`read-${Bun.randomUUIDv7()}`)
  await skiff.ok("cp", `${container}:${path}`, out)
  return readFileSync(out, "utf8")
}

const SET_UP = "mkdir -p /d /empty; echo f > /d/f; ln -s d /ld; ln -s /d/f /lf; ln -s nowhere /dangling"

/** One that runs, one that has ended: both with the same files. */
beforeAll(async () => {
  await skiff.ok(
    "run",
    "-d",
    "--name",
    "running",
    "--network",
    "none",
    "busybox",
    "sh",
    "-c",
    `${SET_UP}; exec sleep 1000`,
  )
  await skiff.ok("run", "--name", "stopped", "--network", "none", "busybox", "sh", "-c", SET_UP)
})

const helloFile = () => hostFile("in/file")
const hostTree = () => {
  hostFile("in/dir/sub/deep", "deep")
  hostFile("in/dir/a", "a")
  return place("in/dir")
}

const fresh = (to: string) => {
  rmSync(place("out"), { recursive: true, force: true })
  hostDirectory("out/there")
  return place(`out/${to}`)
}
describe.each(["running", "stopped"])("into a container that is %s", (name) => {
  test.each([
    ["/new", "/new"],
    ["/", "/file"],
    ["relative", "/relative"],
    ["/empty", "/empty/file"],
    ["/empty/", "/empty/file"],
    ["/d/f", "/d/f"],
    ["/ld", "/d/file"],
    ["/lf", "/d/f"],
    ["/dangling", "/nowhere"],
    ["/d/../d/up", "/d/up"],
  ])("a file to %s is at %s", async (target, at) => {
    await skiff.ok("cp", helloFile(), `${name}:${target}`)
    expect(await text(name, at)).toBe("hello\n")
  })

  test.each([
    [["/none/"], /"\/none\/" could not be found on container/],
    [["/no/such"], /"\/no\/such" could not be found on container/],
    [["/d/f/x"], /could not be found/],
    [["/bin/busybox/"], /could not be found/],
    [["/proc/sys/kernel/x"], /kernel's own|could not be found/],
  ])("a file to %s is refused", async ([target = ""], words) => {
    const { code, stderr } = await cp(helloFile(), `${name}:${target}`)
    expect(code).toBe(1)
    expect(stderr).toMatch(words)
  })

  test("a directory is made anew, put into one that is there, or poured into it with `/.`", async () => {
    await skiff.ok("cp", hostTree(), `${name}:/made`)
    expect(await text(name, "/made/sub/deep")).toBe("deep")
    await skiff.ok("cp", hostTree(), `${name}:/made`)
    expect(await text(name, "/made/dir/sub/deep")).toBe("deep")
    await skiff.ok("cp", `${hostTree()}/.`, `${name}:/empty`)
    expect(await text(name, "/empty/sub/deep")).toBe("deep")
    expect(names(name, "/made")).toEqual(
      [
        "made/",
        "made/a",
        "made/dir/",
        "made/dir/a",
        "made/dir/sub/",
        "made/dir/sub/deep",
        "made/sub/",
        "made/sub/deep",
      ].toSorted(),
    )
  })

  test("a directory takes no file's place, nor a file a directory's, unless --overwrite says so", async () => {
    await skiff.ok("cp", helloFile(), `${name}:/kind`)
    const direct = await cp(hostTree(), `${name}:/kind`)
    expect(direct.stderr).toContain("destination must be a directory when copying a directory")
    hostFile("in/kinds/kind/x")
    const inside = await cp(`${place("in/kinds")}/.`, `${name}:/`)
    expect(inside.stderr).toContain('cannot overwrite non-directory "kind" with directory')
    await skiff.ok("cp", "--overwrite", `${place("in/kinds")}/.`, `${name}:/`)
    expect(await text(name, "/kind/x")).toBe("hello\n")
    hostFile("in/files/kind")
    const back = await cp(`${place("in/files")}/.`, `${name}:/`)
    expect(back.stderr).toContain('cannot overwrite directory "kind" with non-directory')
    await skiff.ok("cp", "--overwrite", `${place("in/files")}/.`, `${name}:/`)
    expect(await text(name, "/kind")).toBe("hello\n")
  })

  test("a link is copied as a link, and with -L or a slash as what it leads to", async () => {
    hostTree()
    for (const [link, to] of [
      ["link", "file"],
      ["dirlink", "dir"],
    ] as const) {
      rmSync(place(`in/${link}`), { force: true })
      symlinkSync(to, place(`in/${link}`))
    }
    helloFile()
    await skiff.ok("cp", place("in/link"), `${name}:/link1`)
    await skiff.ok("cp", "-L", place("in/link"), `${name}:/link2`)
    await skiff.ok("cp", `${place("in/dirlink")}/`, `${name}:/link3`)
    expect(listed(`${name}:/link1`, "-tv")).toMatch(/^l.* link1 -> file$/m)
    expect(await text(name, "/link2")).toBe("hello\n")
    expect(await text(name, "/link3/sub/deep")).toBe("deep")
  })

  test("an archive from standard input goes into a directory, compressed or not, and nowhere else", async () => {
    const archive = place("in/archive.tar")
    writeFileSync(
      archive,
      tar([
        { name: "x/", type: "directory", mode: 0o700 },
        { name: "x/y", content: "y" },
      ]),
    )
    const pipe = (compress: string, target: string) => {
      const words = skiff.command(["cp", "-", `${name}:${target}`])
      return spawnSync("sh", ["-c", `${compress} < ${archive} | "$@"`, "sh", ...words], { env: skiff.env })
    }
    for (const [compress, target] of [
      ["cat", "/empty"],
      ["gzip", "/d"],
      ["xz", "/"],
      ["zstd", "/ld"],
    ] as const)
      expect(pipe(compress, target).stderr.toString()).toBe("")
    for (const path of ["/empty/x/y", "/d/x/y", "/x/y"]) expect(await text(name, path)).toBe("y")
    expect(pipe("cat", "/lf").stderr.toString()).toContain("destination must be a directory when copying from stdin")
    expect(pipe("cat", "/none").status).toBe(1)
    expect(pipe("echo nonsense", "/d").stderr.toString()).toContain(
      "source must be a (compressed) tar archive when copying from stdin",
    )
  })
})

describe.each(["running", "stopped"])("out of a container that is %s", (name) => {
  beforeAll(async () => {
    const script =
      "cd /; rm -rf src; mkdir -p src/sub; echo text > src/f; chown 7:8 src/f; chmod 4751 src/f; ln src/f src/hard; ln -s f src/l; mkfifo src/fifo"
    if (name === "running") return void (await skiff.ok("exec", name, "sh", "-c", script))
    await skiff.ok("run", "--name", "maker", "--network", "none", "busybox", "sh", "-c", script)
    const out = hostDirectory("made")
    await skiff.ok("cp", "-a", "maker:/src", out)
    await skiff.ok("rm", "maker")
    await skiff.ok("cp", `${out}/src`, "stopped:/")
  })

  test("a file, a directory, its contents", async () => {
    await skiff.ok("cp", `${name}:/src/f`, fresh("there"))
    expect(readFileSync(place("out/there/f"), "utf8")).toBe("text\n")
    await skiff.ok("cp", `${name}:/src`, fresh("new"))
    expect(readFileSync(place("out/new/hard"), "utf8")).toBe("text\n")
    expect(statSync(place("out/new/f")).ino).toBe(statSync(place("out/new/hard")).ino)
    expect(statSync(place("out/new/fifo")).isFIFO()).toBe(true)
    await skiff.ok("cp", `${name}:/src/.`, fresh("there"))
    expect(existsSync(place("out/there/sub"))).toBe(true)
    for (const [target, words] of [
      ["none/", /could not be found on the host/],
      ["no/such", /could not be found on the host/],
    ] as const)
      expect((await cp(`${name}:/src/f`, fresh(target))).stderr).toMatch(words)
    expect((await cp(`${name}:/src/nothing`, fresh("x"))).stderr).toContain(
      `"/src/nothing" could not be found on container ${name}`,
    )
  })

  test("what comes out is the caller's, without set-id bits; -a keeps both", async () => {
    await skiff.ok("cp", `${name}:/src/f`, fresh("f"))
    const plain = statSync(place("out/f"))
    expect({ uid: plain.uid, gid: plain.gid, mode: plain.mode & 0o7777 }).toEqual({
      uid: user.uid,
      gid: user.gid,
      mode: 0o751,
    })
    await skiff.ok("cp", "-a", `${name}:/src/f`, fresh("f"))
    const kept = statSync(place("out/f"))
    expect(kept.mode & 0o7777).toBe(0o4751)
    if (!user.rootless) expect([kept.uid, kept.gid]).toEqual([7, 8])
  })

  test("to standard output it is a tar archive with the owners of the container", async () => {
    const lines = listed(`${name}:/src`, "-tv")
    expect(lines).toMatch(/^-rwsr-x--x 7\/8 +5 .* src\/f$/m)
    expect(lines).toMatch(/^h.* src\/hard link to src\/f$/m)
    expect(lines).toMatch(/^l.* src\/l -> f$/m)
  })
})

test("owners are kept on the way in, and with -a are the user's that the container runs as", async () => {
  const file = hostFile("owned")
  if (!user.rootless) chownSync(file, 1234, 1235)
  await skiff.ok("create", "--name", "owners", "--user", "user", "busybox", "true")
  await skiff.ok("cp", file, "owners:/kept")
  await skiff.ok("cp", "-a", file, "owners:/given")
  const lines = listed("owners:/", "-tv")
  expect(lines).toMatch(user.rootless ? / 0\/0 .* \.\/kept$/m : / 1234\/1235 .* \.\/kept$/m)
  expect(lines).toMatch(/ 1000\/1000 .* \.\/given$/m)
  await skiff.ok("rm", "owners")
})

test("called as podman it gives what it copies to the container's user, follows links, and starts from the working directory", async () => {
  const podman = { env: { SKIFF_COMPAT: "podman" } }
  const file = hostFile("podman")
  if (!user.rootless) chownSync(file, 1234, 1235)
  await skiff.ok("create", "--name", "as-podman", "--workdir", "/srv", "busybox", "true")
  for (const args of [
    [file, "as-podman:given"],
    ["-a=false", file, "as-podman:kept"],
  ])
    expect(await skiff.run(["cp", ...args], podman)).toMatchObject({ code: 0 })
  const lines = listed("as-podman:/srv", "-tv")
  expect(lines).toMatch(/ 0\/0 .* srv\/given$/m)
  if (!user.rootless) expect(lines).toMatch(/ 1234\/1235 .* srv\/kept$/m)
  const missing = await skiff.run(["cp", "as-podman:/none", place("x")], podman)
  expect(missing).toMatchObject({ code: 125 })
  expect(missing.stderr).toContain(
    'Error: "/none" could not be found on container as-podman: no such file or directory',
  )
  await skiff.ok("rm", "as-podman")
})

testUnless(asRootOnly)("of a container with ids of its own the owners are told as they are inside", async () => {
  const script = "echo x > /root/x; chown 7:8 /root/x; exec sleep 1000"
  await skiff.ok(
    "run",
    "-d",
    "--name",
    "own-ids",
    "--userns",
    "auto",
    "--network",
    "none",
    "busybox",
    "sh",
    "-c",
    script,
  )
  await eventually(() => expect(listed("own-ids:/root", "-tv")).toMatch(/ 7\/8 .* root\/x$/m))
  expect(listed("own-ids:/root", "-tv")).toMatch(/ 0\/0 .* root\/$/m)
  await skiff.ok("cp", "own-ids:/root/x", place("own-ids-x"))
  const refused = await cp(hostFile("for-own-ids"), "own-ids:/root/y")
  expect(refused.stderr).toContain("runs with ids of its own")
  await skiff.ok("stop", "-t", "0", "own-ids")
  await skiff.ok("cp", hostFile("for-own-ids"), "own-ids:/root/y")
  await skiff.ok("start", "own-ids")
  expect(await skiff.ok("exec", "own-ids", "stat", "-c", "%u:%g", "/root/y")).toBe("0:0")
  await skiff.ok("rm", "-f", "own-ids")
})

test("from container to container, and within one", async () => {
  await skiff.ok("cp", "running:/d", "stopped:/from-running")
  expect(await text("stopped", "/from-running/f")).toBe(await text("running", "/d/f"))
  await skiff.ok("cp", "stopped:/from-running", "running:/back")
  await skiff.ok("cp", "stopped:/from-running", "stopped:/again")
  await skiff.ok("cp", "running:/back", "running:/back") // a tree into itself has an end
  expect(names("running", "/back/back")).toContain("back/f")
  expect(await text("stopped", "/again/f")).toBe(await text("running", "/back/f"))
})

test("volumes are seen, of one that runs and of one that was only created, and read-only ones stay so", async () => {
  const file = hostFile("for-volumes")
  const volumes = ["-v", "cpvol:/data", "-v", "cpro:/ro:ro"]
  await skiff.ok("create", "--name", "vc", ...volumes, "busybox", "true")
  await skiff.ok("cp", file, "vc:/data/created")
  expect((await cp(file, "vc:/ro/x")).stderr).toContain("read-only")
  await skiff.ok("run", "-d", "--name", "vr", "--read-only", "--tmpfs", "/tmp", ...volumes, "busybox", "sleep", "1000")
  expect(await skiff.ok("exec", "vr", "cat", "/data/created")).toBe("hello")
  await skiff.ok("cp", file, "vr:/data/running")
  await skiff.ok("cp", file, "vr:/tmp/t")
  expect(await skiff.ok("exec", "vr", "cat", "/tmp/t")).toBe("hello")
  for (const target of ["vr:/ro/x", "vr:/x"]) expect((await cp(file, target)).stderr).toContain("read-only")
  expect(await text("vc", "/data/running")).toBe("hello\n")
  await skiff.ok("rm", "-f", "vc", "vr")
  await skiff.ok("volume", "rm", "cpvol", "cpro")
})

test("a start after a copy into one that stands finds the file, and nothing of the copy is left", async () => {
  await skiff.ok("create", "--name", "waits", "busybox", "cat", "/message")
  await skiff.ok("cp", hostFile("message", "from cp\n"), "waits:/message")
  expect(existsSync(join(skiff.runRoot, "containers", (await skiff.inspect("waits")).Id))).toBe(false)
  expect(await skiff.ok("start", "-a", "waits")).toBe("from cp")
  await skiff.ok("rm", "waits")
})

test.each(["copy:mounted", "copy:cloned"])(
  "a copy into one that stands, killed at %s, leaves a container that starts, and nothing of it",
  async (point) => {
    await skiff.ok("create", "--name", "survives", "-v", "survives:/data", "busybox", "true")
    await skiff.run(["cp", hostFile("message", "x"), "survives:/data/x"], { env: { SKIFF_CRASH_AT: point } })
    await skiff.ok("cp", hostFile("message", "from the second\n"), "survives:/data/x")
    expect(await text("survives", "/data/x")).toBe("from the second\n")
    await skiff.run(["cp", hostFile("message", "x"), "survives:/y"], { env: { SKIFF_CRASH_AT: point } })
    await skiff.ok("start", "-a", "survives")
    await skiff.run(["cp", hostFile("message", "x"), "survives:/y"], { env: { SKIFF_CRASH_AT: point } })
    await skiff.ok("rm", "survives")
    await skiff.ok("volume", "rm", "survives")
    // the end of this file looks for what is left
  },
)

test("wrong words are refused by what is wrong with them", async () => {
  for (const [args, words] of [
    [["x", "y"], /must specify at least one container source/],
    [["x", "running:"], /you must specify paths/],
    [["nosuch:/x", "y"], /no such container: "nosuch"/],
    [[place("nothing"), "running:/"], /"\S+nothing" could not be found on the host/],
    [["running:/dev/null", "y"], /device/],
    [[hostFile("f"), "running:/dev/null"], /device/],
    [["running:/proc/1/status", "y"], /kernel's own/],
  ] as const) {
    const { code, stderr } = await cp(...args)
    expect({ args, code }).toEqual({ args, code: 1 })
    expect(stderr).toMatch(words)
  }
})

test("a name with a colon is a host path when it begins as one", async () => {
  hostFile("a:b")
  await skiff.ok("cp", place("a:b"), "running:/colon")
  const { code } = await skiff.run(["cp", "./a:b", "running:/colon2"], { cwd: skiff.home })
  expect(code).toBe(0)
  expect(await text("running", "/colon2")).toBe("hello\n")
})

test("on a terminal it says how much was copied, with -q nothing", async () => {
  const file = hostFile("shown", "x".repeat(2000))
  chmodSync(file, 0o644)
  const shown = openTerminal(skiff, ["cp", file, "running:/shown"])
  expect(await shown.exited).toBe(0)
  expect(shown.screen()).toContain("Successfully copied 2kB to running:/shown")
  const quiet = openTerminal(skiff, ["cp", "-q", file, "running:/shown"])
  expect(await quiet.exited).toBe(0)
  expect(quiet.screen().trim()).toBe("")
})
