/** Whose the files of volumes and binds are, inside and on the host, where the program is not root. */
import { describe, expect, test } from "bun:test"
import { chmodSync, chownSync, lchownSync, linkSync, lstatSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { BUSYBOX } from "../support/image.ts"
import { sharedRegistry } from "../support/registry.ts"
import { asRootOnly, openStore, rootlessOnly, testUnless } from "../support/store.ts"
import type { TarEntry } from "../support/tar.ts"
import { user } from "../support/user.ts"

const skiff = openStore()
const run = (script: string, ...flags: string[]) => skiff.ok("run", "--rm", ...flags, "busybox", "sh", "-c", script)

test("a new volume belongs to who the program runs as, and keeps its owner after", async () => {
  const flags = ["-v", "first:/data", "--user", "1000:100"]
  expect(await run("touch /data/new && stat -c %u:%g /data /data/new", ...flags)).toBe("1000:100\n1000:100")
  expect(await run("stat -c %u:%g /data", "-v", "first:/data")).toBe("1000:100")
  await run("rm /data/new", ...flags)
  // empty again, and not root's: somebody may count on its owner
  expect(await run("stat -c %u:%g /data", "-v", "first:/data", "--user", "7")).toBe("1000:100")
  await skiff.ok("volume", "rm", "first")
})

test("a new volume over a directory of root's with files belongs to the program too, its files to whom the image says", async () => {
  expect(await run("stat -c %u /etc /etc/passwd", "-v", "filled:/etc", "--user", "1000")).toBe("1000\n0")
  await skiff.ok("volume", "rm", "filled")
})

test("the owner that an image gives to the directory stays, and so does root's of a program of root's", async () => {
  const registry = await sharedRegistry()
  const entries: TarEntry[] = [{ name: "data/", type: "directory", uid: 70, gid: 71 }]
  const image = await registry.push("owners/data:1", { ...BUSYBOX, layers: [...BUSYBOX.layers, { entries }] })
  const words = [image, "stat", "-c", "%u:%g", "/data"]
  expect(await skiff.ok("run", "--rm", "-q", "--user", "1000", "-v", "given:/data", ...words)).toBe("70:71")
  expect(await run("stat -c %u:%g /data", "-v", "roots:/data")).toBe("0:0")
  await skiff.ok("volume", "rm", "given", "roots")
  await skiff.ok("rmi", image)
})

test("nocopy gives the directory, and no files", async () => {
  expect(await run("ls /etc; stat -c %u /etc", "-v", "empty:/etc:nocopy", "--user", "1000")).toMatch(
    /^(?:(?!passwd).)*1000$/s,
  )
  await skiff.ok("volume", "rm", "empty")
})

/** A directory of the user's on the host, which others may read only. */
function ownDirectory(name: string): string {
  const path = join(skiff.home, name)
  mkdirSync(path, { mode: 0o755 })
  chownSync(path, user.uid, user.gid)
  return path
}
const ownerOf = (path: string) => [lstatSync(path).uid, lstatSync(path).gid]
const asRoot = testUnless(asRootOnly)
const asUser = testUnless(rootlessOnly)

describe("idmap: the owner of a directory is the program's user", () => {
  test("what it writes is the owner's on the host, and what it reads is its own", async () => {
    const path = ownDirectory("mapped")
    const owner: [number, number] = user.rootless ? [user.uid, user.gid] : [4321, 1234]
    writeFileSync(join(path, "there"), "")
    for (const each of [path, join(path, "there")]) chownSync(each, ...owner)
    const flags = ["--user", "1000:1000", "-v", `${path}:/data:idmap`]
    expect(await run("touch /data/new; stat -c %u:%g /data /data/there /data/new", ...flags)).toBe(
      "1000:1000\n1000:1000\n1000:1000",
    )
    expect(ownerOf(join(path, "new"))).toEqual(owner)
    expect(ownerOf(join(path, "there"))).toEqual(owner)
  })

  test("it is there after a restart, for exec, and gone with the container", async () => {
    const path = ownDirectory("again")
    await skiff.ok(
      "run",
      "-d",
      "--name",
      "again",
      "--user",
      "7",
      "--mount",
      `type=bind,src=${path},dst=/d,idmap`,
      "busybox",
      "sleep",
      "600",
    )
    await skiff.ok("restart", "-t", "0", "again")
    await skiff.ok("exec", "again", "touch", "/d/new")
    expect(ownerOf(join(path, "new"))).toEqual([user.uid, user.gid])
    await skiff.ok("rm", "-f", "-t", "0", "again")
  })

  asRoot("a map of one's own is taken as podman takes it", async () => {
    const path = ownDirectory("own-map")
    const flags = ["-v", `${path}:/d:idmap=uids=0-5000-10;gids=0-6000-10`]
    expect(await run("stat -c %u:%g /d", ...flags)).toBe("5000:6000")
  })

  asRoot("of a volume, of a file, and in a user namespace of its own", async () => {
    const path = ownDirectory("various")
    writeFileSync(join(path, "file"), "")
    expect(await run("stat -c %u /v", "-v", "mapped:/v:idmap", "--user", "55")).toBe("55")
    expect(await run("echo a >> /f", "-v", `${join(path, "file")}:/f:idmap`, "--user", "55")).toBe("")
    expect(ownerOf(join(path, "file"))).toEqual([0, 0])
    const flags = ["--userns", "auto", "--user", "55", "-v", `${path}:/d:idmap`]
    expect(await run("touch /d/new && stat -c %u /d/new", ...flags)).toBe("55")
    expect(ownerOf(join(path, "new"))).toEqual([0, 0])
    await skiff.ok("volume", "rm", "mapped")
  })

  asUser("a map of one's own is root's to give", async () => {
    const path = ownDirectory("refused")
    const { code, stderr } = await skiff.run(["run", "--rm", "-v", `${path}:/d:idmap=uids=0-1-1`, "busybox", "true"])
    expect([code, stderr]).toEqual([125, expect.stringContaining("an ordinary user")])
  })
})

describe("an ordinary user's directory, without a word", () => {
  asUser("is written to by a program that is not root, as the user", async () => {
    const path = ownDirectory("plain")
    const flags = ["--user", "1000:1000", "-v", `${path}:/data`]
    expect(await run("touch /data/new; stat -c %u:%g /data/new; id -u", ...flags)).toBe("1000:1000\n1000")
    expect(ownerOf(join(path, "new"))).toEqual([user.uid, user.gid])
    // and root of the container is somebody else then
    expect(await run("stat -c %u /data", ...flags)).toBe("1000")
  })

  asUser("is as it is for root, beside a named volume, and for who says which ids are meant", async () => {
    const path = ownDirectory("as-it-is")
    expect(await run("stat -c %u /data", "-v", `${path}:/data`)).toBe("0")
    expect(await run("stat -c %u /data", "--user", "9", "-v", `${path}:/data`, "-v", "named:/v")).toBe("0")
    expect(await run("stat -c %u /data", "--user", "9", "--userns", "host", "-v", `${path}:/data`)).toBe("0")
    expect(await run("stat -c %u /data", "--user", "9", "-v", `${path}:/data:ro`)).toBe("0")
    chmodSync(path, 0o777)
    expect(await run("stat -c %u /data", "--user", "9", "-v", `${path}:/data`)).toBe("0")
    await skiff.ok("volume", "rm", "named")
  })

  asUser("files can be copied to and from such a container", async () => {
    const path = ownDirectory("copied")
    await skiff.ok("run", "-d", "--name", "copied", "--user", "1000", "-v", `${path}:/data`, "busybox", "sleep", "600")
    writeFileSync(join(skiff.home, "given"), "x")
    chownSync(join(skiff.home, "given"), user.uid, user.gid)
    await skiff.ok("cp", join(skiff.home, "given"), "copied:/data/given")
    expect(await skiff.ok("exec", "copied", "cat", "/data/given")).toBe("x")
    await skiff.ok("cp", "copied:/data/given", join(skiff.home, "back"))
    await skiff.ok("rm", "-f", "-t", "0", "copied")
  })

  asRoot("of root it is as it is", async () => {
    const path = ownDirectory("roots")
    const { code } = await skiff.run(["run", "--rm", "--user", "1000", "-v", `${path}:/d`, "busybox", "touch", "/d/x"])
    expect(code).toBe(1)
  })
})

describe("U: the files are given to the program's user", () => {
  test("once, links are not followed, and a file with a name elsewhere stays whose it is", async () => {
    const path = ownDirectory("given-away")
    const outside = ownDirectory("outside")
    mkdirSync(join(path, "sub"))
    for (const file of [join(path, "sub/file"), join(path, "one"), join(outside, "file")]) writeFileSync(file, "")
    linkSync(join(path, "one"), join(path, "two"))
    linkSync(join(outside, "file"), join(path, "shared"))
    symlinkSync(outside, join(path, "link"))
    for (const each of ["sub", "sub/file", "one", "shared"]) chownSync(join(path, each), user.uid, user.gid)
    lchownSync(join(path, "link"), user.uid, user.gid)
    await skiff.ok(
      "create",
      "--name",
      "given",
      "--user",
      "1000:1001",
      "-v",
      `${path}:/d:U`,
      "busybox",
      "sh",
      "-c",
      "touch /d/new; find /d ! -user 1000",
    )
    const { stdout, stderr } = await skiff.run(["start", "-a", "given"])
    expect(stdout).toBe("/d/shared\n")
    expect(stderr).toContain("have other names elsewhere")
    expect(ownerOf(outside)).toEqual([user.uid, user.gid])
    expect(ownerOf(join(outside, "file"))).toEqual([user.uid, user.gid])
    // what somebody else puts there later is theirs
    writeFileSync(join(path, "later"), "")
    chownSync(join(path, "later"), user.uid, user.gid)
    expect((await skiff.run(["start", "-a", "given"])).stdout).toContain("/d/later")
    await skiff.ok("rm", "given")
  })

  test("a directory of the host's own is refused by name", async () => {
    for (const path of ["/", "/etc", "/usr/lib"]) {
      const { code, stderr } = await skiff.run(["run", "--rm", "--user", "5", "-v", `${path}:/d:U`, "busybox", "true"])
      expect([code, stderr]).toEqual([125, expect.stringContaining(`"${path}" is not given to a container's user`)])
    }
  })
})

const because = (name: string) => skiff.ok("inspect", "-f", "{{.State.EndedBecause}}", name)

describe("a program that may not write is told why", () => {
  test("by both ids, of the mount and of itself, once it has failed", async () => {
    const path = ownDirectory("explained")
    const flags = ["--name", "failed", "--user", "1000", "--userns", "host", "-v", `${path}:/data`]
    const { stderr } = await skiff.run(["run", ...flags, "busybox", "touch", "/data/new"])
    expect(stderr).toContain("touch: /data/new: Permission denied\n")
    expect(stderr).toContain('may not write to "/data/new"')
    const hostUid = user.rootless ? /1\d{5}/ : /1000/
    expect(await because("failed")).toMatch(
      new RegExp(
        `^the program \\(uid 1000, on the host ${hostUid.source}\\) may not write to "/data/new": "${path}" belongs to uid 0 \\(on the host ${user.uid}\\), mode 0755; the option idmap`,
      ),
    )
    expect(await skiff.ok("ps", "-a", "--format", "{{.StatusInWords}}", "--filter", "name=failed")).toContain(
      "not allowed to write",
    )
    await skiff.ok("rm", "failed")
  })

  test("where it names the file by a relative path, and where the mount is read-only", async () => {
    const path = ownDirectory("relative")
    const flags = ["--user", "1000", "--userns", "host", "-w", "/data", "-v", `${path}:/data`]
    await skiff.run(["run", "--name", "relative", ...flags, "busybox", "sh", "-c", "echo x > new"])
    expect(await because("relative")).toContain('may not write to "/data"')
    const removed = await skiff.run(["run", "--rm", ...flags, "busybox", "touch", "/data/x"])
    expect(removed.stderr).toContain('may not write to "/data/x"')
    await skiff.run(["run", "--name", "fixed", "-v", `${path}:/data:ro`, "busybox", "touch", "/data/new"])
    expect(await because("fixed")).toContain('"/data" is mounted read-only')
    await skiff.ok("rm", "relative", "fixed")
  })

  test("and not where it could have written, or said nothing of it", async () => {
    const path = ownDirectory("innocent")
    await skiff.run([
      "run",
      "--name",
      "innocent",
      "-v",
      `${path}:/data`,
      "busybox",
      "sh",
      "-c",
      "echo /data/x: Permission denied; exit 3",
    ])
    expect(await because("innocent")).toBe("the program ended by itself with exit code 3")
    await skiff.ok("rm", "innocent")
  })

  test("skiff explain shows who owns each mount and who runs", async () => {
    const path = ownDirectory("shown")
    const flags = ["--user", "1000", "--userns", "host", "-v", `${path}:/data`, "-v", "shown:/v"]
    await skiff.ok("run", "-d", "--name", "shown", ...flags, "busybox", "sleep", "600")
    const page = (await skiff.ok("explain", "shown")).replaceAll(/\s+/g, " ")
    expect(page).toContain(`${path} is of uid 0 (on the host ${user.uid}), mode 0755. The program is uid 1000`)
    expect(page).toContain("it may not write; the option idmap")
    expect(page).toContain("it may write.")
    await skiff.ok("rm", "-f", "-t", "0", "shown")
    await skiff.ok("volume", "rm", "shown")
  })
})
