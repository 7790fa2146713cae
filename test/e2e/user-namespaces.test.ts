/** Containers with ids of their own: which, whose files, and that nobody else has them. */
import { describe, expect, test } from "bun:test"
import { existsSync, readdirSync, statSync } from "node:fs"
import { CRASH_POINTS } from "../../src/base/crash-point.ts"
import { BUSYBOX } from "../support/image.ts"
import { sharedRegistry } from "../support/registry.ts"
import type { TarEntry } from "../support/tar.ts"
import { asRootOnly, openStore, rootlessOnly, testUnless } from "../support/store.ts"
import { user } from "../support/user.ts"

const skiff = openStore()
const asRoot = testUnless(asRootOnly)
const asUser = testUnless(rootlessOnly)
/** An ordinary user maps the owners of files by fuse-overlayfs alone. */
const noMaps = user.rootless && !mayUseFuse() && "/dev/fuse is not for everyone here"
const mapped = testUnless(noMaps)
const run = (script: string, ...flags: string[]) => skiff.ok("run", "--rm", ...flags, "busybox", "sh", "-c", script)
const mapOf = async (...flags: string[]) =>
  (await run("cat /proc/self/uid_map", ...flags)).split("\n").map((line) => line.trim().split(/\s+/).map(Number))
const refused = async (...flags: string[]) => {
  const { code, stderr } = await skiff.run(["run", "--rm", ...flags, "busybox", "true"])
  expect(code).toBe(125)
  return stderr
}
function mayUseFuse(): boolean {
  return existsSync("/dev/fuse") && (statSync("/dev/fuse").mode & 0o006) === 0o006
}

const OWNERS = "stat -c %u:%g /bin/busybox /root /etc/passwd | sort -u"

mapped("--userns auto: root inside is nobody outside, and the image's files are root's inside", async () => {
  const [[inside, outside = 0, count = 0] = []] = await mapOf("--userns", "auto")
  expect(inside).toBe(0)
  expect(outside).toBeGreaterThan(user.rootless ? 0 : 65_535)
  // the group `extra` of the image is 2000
  expect(count).toBe(2001)
  expect(await run(OWNERS, "--userns", "auto")).toBe("0:0")
  expect(await run("touch /root/new /etc/passwd && stat -c %u /root/new /etc/hosts", "--userns", "auto")).toBe("0\n0")
})

mapped("the image's files keep their owners on disk, and so do a container's in a commit", async () => {
  await skiff.ok("run", "--name", "writer", "--userns", "auto", "busybox", "sh", "-c", "echo a > /new; chown 1000 /new")
  await skiff.ok("commit", "writer", "written")
  expect(await skiff.ok("run", "--rm", "written", "stat", "-c", "%u:%g", "/new", "/bin/busybox")).toBe("1000:0\n0:0")
  await skiff.ok("rm", "writer")
  await skiff.ok("rmi", "written")
})

mapped("ranges are disjoint while containers exist, and given back", async () => {
  const firstOf = async (name: string) => {
    await skiff.ok("run", "-d", "--name", name, "--userns", "auto:size=5000", "busybox", "sleep", "600")
    return Number((await skiff.ok("exec", name, "cat", "/proc/self/uid_map")).trim().split(/\s+/)[1])
  }
  const [one, two] = [await firstOf("one"), await firstOf("two")]
  expect(two).toBe(one + 5000)
  await skiff.ok("restart", "-t", "0", "one")
  expect(await skiff.ok("exec", "one", "cat", "/proc/self/uid_map")).toContain(` ${one} `)
  await skiff.ok("rm", "-f", "one")
  expect(await firstOf("three")).toBe(one)
  await skiff.ok("rm", "-f", "two", "three")
})

asRoot("a volume holds the ids that every container sees", async () => {
  await run("touch /data/file; chown 7 /data/file", "--userns", "auto", "-v", "shared:/data")
  expect(await run("stat -c %u:%g /data /data/file", "-v", "shared:/data")).toBe("0:0\n7:0")
  expect(await run("stat -c %u /data/file; rm /data/file", "--userns", "auto:size=3000", "-v", "shared:/data")).toBe(
    "7",
  )
  await skiff.ok("volume", "rm", "shared")
})

mapped("a volume is filled with the owners that the image has", async () => {
  const registry = await sharedRegistry()
  const entries: TarEntry[] = [
    { name: "data/", type: "directory", uid: 7, gid: 8 },
    { name: "data/file", uid: 1000, gid: 0, content: "x" },
  ]
  const image = await registry.push("ids/filled:1", {
    ...BUSYBOX,
    layers: [...BUSYBOX.layers, { entries }],
    config: { ...BUSYBOX.config, Volumes: { "/data": {} } },
  })
  const words = ["sh", "-c", "stat -c %u:%g /data /data/file; touch /data/new"]
  expect(await skiff.ok("run", "--rm", "-q", "--userns", "auto", image, ...words)).toBe("7:8\n1000:0")
  await skiff.ok("rmi", image)
})

mapped("--uidmap and --gidmap are taken as given, and one alone is for both", async () => {
  const base = user.rootless ? 100 : 200_000
  const map = ["--uidmap", `0:${base}:10`, "--uidmap", `10:${base + 20}:90`]
  expect(await mapOf(...map)).toEqual([
    [0, base, 10],
    [10, base + 20, 90],
  ])
  expect(await run("cat /proc/self/gid_map", ...map)).toContain(`${base + 20}`)
  expect(await run(OWNERS, ...map)).toBe("0:0")
})

asUser("--userns keep-id: the caller is himself inside, and runs the program", async () => {
  expect(await run("id -u; id -g", "--userns", "keep-id")).toBe(`${user.uid}\n${user.gid}`)
  expect(await run("id -u; id -g", "--userns", "keep-id:uid=1000,gid=1000")).toBe("1000\n1000")
  const [first, second] = await mapOf("--userns", "keep-id:uid=1000")
  expect([first, second]).toEqual([
    [0, 1, 1000],
    [1000, 0, 1],
  ])
  expect(await run("id -u", "--userns", "keep-id", "-u", "0")).toBe("0")
  // a bind of the caller's is the caller's
  const here = `${skiff.directory}:/host`
  expect(await run("touch /host/made; stat -c %u /host/made; rm /host/made", "--userns", "keep-id", "-v", here)).toBe(
    `${user.uid}`,
  )
})

asUser("without fuse-overlayfs keep-id shows root's files as the caller's, and says so", async () => {
  const { code, stderr, stdout } = await skiff.run([
    "run",
    "--rm",
    "--userns",
    "keep-id",
    "busybox",
    "sh",
    "-c",
    "stat -c %u /bin/busybox",
  ])
  expect(code).toBe(0)
  if (noMaps === false) expect(stdout).toBe("0\n")
  else
    expect([stdout, stderr]).toEqual([`${user.uid}\n`, expect.stringContaining("root's files of the image are yours")])
})

testUnless(user.rootless && noMaps === false ? false : "asked of an ordinary user with fuse-overlayfs")(
  "--userns nomap: the caller is nobody inside, and an empty volume is for root inside",
  async () => {
    expect(await mapOf("--userns", "nomap")).toEqual([[0, 1, 65_536]])
    expect(await run("echo a > /data/file && stat -c %u /data/file", "--userns", "nomap", "-v", "of-nomap:/data")).toBe(
      "0",
    )
    expect(await run("stat -c %u /host", "--userns", "nomap", "-v", `${skiff.directory}:/host`)).toBe("65534")
    await skiff.ok("volume", "rm", "of-nomap")
  },
)

asRoot("--userns keep-id of root has all ids as they are", async () => {
  expect(await mapOf("--userns", "keep-id")).toEqual([[0, 0, 4_294_967_295]])
  expect(await run("id -u", "--userns", "keep-id")).toBe("0")
})

test("runc as well, as root: as an ordinary user it is refused", async () => {
  if (Bun.which("runc") === null) return console.log("skipped: no runc here")
  if (user.rootless && noMaps !== false) return console.log(`skipped: ${noMaps}`)
  const runc = ["--runtime", "runc", "--userns", "auto", "-v", "/data"]
  if (user.rootless) return expect(await refused(...runc)).toContain("runc cannot reach a container's root")
  const script = `${OWNERS}; touch /new /data/new; stat -c %u /new /data/new; cat /etc/hostname`
  expect(await run(script, ...runc, "--hostname", "me")).toBe("0:0\n0\n0\nme")
  await skiff.ok("run", "-d", "--name", "by-runc", ...runc, "busybox", "sleep", "600")
  expect(await skiff.ok("exec", "by-runc", "stat", "-c", "%u", "/bin/busybox")).toBe("0")
  const place = `${skiff.runRoot}-ids`
  const other = Bun.spawnSync(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "ls", place])
  expect(other.stderr.toString()).toContain("Permission denied")
  await skiff.ok("restart", "-t", "0", "by-runc")
  await skiff.ok("rm", "-f", "-v", "by-runc")
  expect(readdirSync(place)).toEqual([])
})

test("--userns container:NAME shares ids and files' owners", async () => {
  const how = user.rootless ? "keep-id" : "auto"
  await skiff.ok("run", "-d", "--name", "owner", "--userns", how, "busybox", "sleep", "600")
  const [own, shared] = await Promise.all([
    skiff.ok("exec", "owner", "readlink", "/proc/self/ns/user"),
    run("readlink /proc/self/ns/user", "--userns", "container:owner"),
  ])
  expect(shared).toBe(own)
  if (noMaps === false) expect(await run(OWNERS, "--userns", "container:owner")).toBe("0:0")
  const { Pid } = (await skiff.inspect("owner")).State
  expect(await run("readlink /proc/self/ns/user", "--userns", `ns:/proc/${Pid}/ns/user`)).toBe(own)
  const together = ["--userns", "container:owner", "--pid", "container:owner", "--network", "container:owner"]
  expect(await run("ps", ...together)).toContain("sleep 600")
  await skiff.ok("rm", "-f", "owner")
  expect(await refused("--userns", "container:owner")).toContain('no such container: "owner"')
})

test("inspect shows the mode", async () => {
  const modes = [
    [["--userns", "host"], "host"],
    [["--userns", "auto"], "auto"],
    [["--uidmap", "0:100000:10"], "private"],
    [[], ""],
  ] as const
  for (const [flags, mode] of modes) {
    const id = await skiff.ok("create", ...flags, "busybox", "true")
    expect((await skiff.inspect(id)).HostConfig.UsernsMode).toBe(mode)
    await skiff.ok("rm", id)
  }
})

test("what cannot be mapped is refused with its reason", async () => {
  expect(await refused("--userns", "other")).toContain('invalid USER mode "other"')
  expect(await refused("--userns", "auto:colour=1")).toContain('unknown option "colour=1"')
  expect(await refused("--uidmap", "0-10")).toContain('invalid map of ids "0-10"')
  expect(await refused("--uidmap", "0:100:10", "--uidmap", "5:300:10")).toContain("names 5 inside twice")
  expect(await refused("--uidmap", "0:100:10", "--userns", "auto")).toContain("cannot both be set")
  expect(await refused("--subuidname", "no-such-user")).toContain('"no-such-user" has no range in /etc/subuid')
  expect(await refused("--userns", "auto:size=900000000")).toContain("no 900000000 ids are left")
  if (!user.rootless) expect(await refused("--userns", "nomap")).toContain("for ordinary users")
})

/** Id-mapped mounts are root's. */
const NOT_OF_USERS: ReadonlySet<string> = new Set(["ids:layers-mapped", "mount:staged"])

describe.skipIf(noMaps !== false)("killed at any step, the next run goes through, and nothing is left", () => {
  const POINTS = CRASH_POINTS.filter(
    (point) => /^(?:start|clocks|ids|mount|end):/.test(point) && !(user.rootless && NOT_OF_USERS.has(point)),
  )
  const owned = user.rootless ? [] : ["-v", `${skiff.home}:/own:idmap`]
  const all = [
    "--userns",
    "auto",
    "--ipc",
    "shareable",
    "--time-offset",
    "boottime=1000",
    "-v",
    "/data",
    "--passwd",
    ...owned,
  ]

  test.each(POINTS.filter((point) => point !== "end:reconciled"))("at %s", async (point) => {
    const args = ["run", "--rm", "--name", "crashed", ...all, "busybox", "true"]
    expect((await skiff.run(args, { env: { SKIFF_CRASH_AT: point } })).code).toBe(137)
    expect(await run("echo next", ...all)).toBe("next")
    const ids = (await skiff.ok("ps", "-aq")).split("\n").filter(Boolean)
    if (ids.length > 0) await skiff.ok("rm", "-f", "-v", ...ids)
    await skiff.leavesNothing()
  })
})
