/** COPY, ADD and WORKDIR on a real overlay, by the rules of BuildKit. */
import { describe, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import { getAttribute, setAttribute } from "../../sys/fs/xattr.ts"
import { ignoreMatcher } from "../../dockerfile/ignore-file.ts"
import { copy, Lab, missing } from "./lab.suite.ts"
import type { Source } from "./executor.ts"

/** `path type mode uid:gid [text]` of all that a step has changed. */
function listing(upper: string): string[] {
  const paths = readdirSync(upper, { recursive: true, encoding: "utf8" }).toSorted()
  return paths.map((path) => {
    const stat = lstatSync(join(upper, path))
    const type = stat.isDirectory() ? "d" : stat.isSymbolicLink() ? "l" : stat.isFile() ? "f" : "?"
    const text =
      type === "f" ? readFileSync(join(upper, path), "utf8") : type === "l" ? readlinkSync(join(upper, path)) : ""
    return `${path} ${type} ${(stat.mode & 0o7777).toString(8)} ${stat.uid}:${stat.gid} ${text}`.trimEnd()
  })
}

/** u::rwx,g::---,o::--- (linux/posix_acl_xattr.h). */
const DEFAULT_ACL = Buffer.from("0200000001000700ffffffff04000000ffffffff20000000ffffffff", "hex")

/** What a copy of `d` of the test below is, whatever its target's name. */
const inside = (name: string): string[] => [
  `${name} d 755 0:0`,
  `${name}/dangling l 777 0:0 /nowhere`,
  `${name}/empty d 1777 0:0`,
  `${name}/l l 777 0:0 sub/x`,
  `${name}/sub d 750 0:0`,
  `${name}/sub/x f 644 0:0 X`,
]

const context = (path: string, patterns: readonly string[] = []): Source => {
  const matcher = ignoreMatcher(patterns)
  return {
    path,
    keepsOwners: false,
    ...(patterns.length > 0 && {
      excludes: (name: string) => matcher.excludes(name),
      mayHoldIncluded: (name: string) => matcher.mayHoldIncluded(name),
    }),
  }
}

describe.skipIf(missing !== undefined)("COPY", () => {
  test("a file goes to a name, or into a directory that is there or must be one", async () => {
    await using lab = new Lab()
    const { root, upper } = lab.makeRoot("s", { "there/": "" })
    const from = lab.makeFiles("ctx", { "a.txt": "A" })
    chownSync(join(from, "a.txt"), 77, 77)
    chmodSync(join(from, "a.txt"), 0o6751)
    await lab.files(
      root,
      ["/b", "/there", "/new/"].map((target) => copy(["/a.txt"], target)),
      [context(from)],
    )
    expect(listing(upper)).toEqual([
      "b f 6751 0:0 A",
      "new d 755 0:0",
      "new/a.txt f 6751 0:0 A",
      "there d 755 0:0",
      "there/a.txt f 6751 0:0 A",
    ])
  })

  test("of a directory the contents are copied: new directories keep their modes, the target its own", async () => {
    await using lab = new Lab()
    const { root, upper } = lab.makeRoot("s", { "old/sub/x": "old" })
    chmodSync(join(root, "old/sub"), 0o700)
    const from = lab.makeFiles("ctx", { "d/sub/x": "X", "d/empty/": "", "d/l": "->sub/x", "d/dangling": "->/nowhere" })
    chmodSync(join(from, "d"), 0o700)
    chmodSync(join(from, "d/sub"), 0o750)
    chmodSync(join(from, "d/empty"), 0o1777)
    await lab.files(root, [copy(["/d"], "/old"), copy(["/d"], "/fresh")], [context(from)])
    expect(listing(upper)).toEqual([...inside("fresh"), ...inside("old")])
  })

  test("from a stage owners, hard links, holes, attributes, times, FIFOs and devices are kept", async () => {
    await using lab = new Lab()
    const { root, upper } = lab.makeRoot()
    const stage = lab.makeFiles("stage2", { "d/a": "one" })
    linkSync(join(stage, "d/a"), join(stage, "d/b"))
    chownSync(join(stage, "d/a"), 1000, 1001)
    utimesSync(join(stage, "d/a"), 1e9, 1e9)
    writeFileSync(join(stage, "d/sparse"), "")
    truncateSync(join(stage, "d/sparse"), 2 ** 36)
    spawnSync("mkfifo", [join(stage, "d/fifo")])
    spawnSync("mknod", [join(stage, "d/null"), "c", "1", "3"])
    setAttribute(join(stage, "d/a"), "user.note", Buffer.from("\xff\0", "latin1"))
    await lab.files(root, [copy(["/d"], "/to/")], [{ path: stage, keepsOwners: true }])
    const [a, b] = ["a", "b"].map((name) => lstatSync(join(upper, "to", name)))
    expect([a?.uid, a?.gid, a?.nlink, a?.ino, a?.mtimeMs]).toEqual([1000, 1001, 2, b?.ino, 1e12])
    expect(getAttribute(join(upper, "to/a"), "user.note")?.toString("hex")).toBe("ff00")
    const sparse = lstatSync(join(upper, "to/sparse"))
    expect([sparse.size, sparse.blocks < 100]).toEqual([2 ** 36, true])
    expect(lstatSync(join(upper, "to/fifo")).isFIFO()).toBe(true)
    expect(lstatSync(join(upper, "to/null")).rdev).toBe(0x103)
  })

  test("--chown is a name of the root, or numbers; one number is the group too", async () => {
    await using lab = new Lab()
    const { root, upper } = lab.makeRoot()
    const from = lab.makeFiles("ctx", { a: "" })
    const owners = ["app", "app:extra", "7", "7:8", ":extra", "0:app", "nobody-here"]
    await lab.files(
      root,
      owners.map((chown, index) => copy(["/a"], `/o${index}/a`, { chown })),
      [context(from)],
    )
    const found = owners.map((_, index) => listing(upper).find((line) => line.startsWith(`o${index}/a`)))
    expect(found.map((line) => line?.split(" ")[3])).toEqual([
      "1000:1001",
      "1000:1002",
      "7:7",
      "7:8",
      "0:1002",
      "0:1001",
      "0:0",
    ])
    expect(listing(upper).find((line) => line.startsWith("o0 "))).toBe("o0 d 755 1000:1001")
    expect(lab.output).toContain('no user or group "nobody-here"')
  })

  test("--chmod changes what is copied; the directories made for it only when it is octal, less the umask", async () => {
    await using lab = new Lab()
    const { root, upper } = lab.makeRoot()
    const from = lab.makeFiles("ctx", { "d/f": "", "d/sub/": "" })
    await lab.files(root, [copy(["/d"], "/x/", { chmod: "u=rwX,go=" })], [context(from)])
    await lab.files(root, [copy(["/d/f"], "/y/z", { chmod: "1664" })], [context(from)])
    expect(listing(upper)).toEqual(["x d 755 0:0", "x/f f 600 0:0", "x/sub d 700 0:0", "y d 644 0:0", "y/z f 1664 0:0"])
  })

  test("patterns are Go's: by directory, in order, and ** is one star", async () => {
    await using lab = new Lab()
    const { root, upper } = lab.makeRoot()
    const from = lab.makeFiles("ctx", {
      "a1.c": "",
      "a2.c": "",
      "a3.h": "",
      "s/a4.c": "",
      "s/t/a5.c": "",
      "b[1].c": "",
    })
    await lab.files(
      root,
      [
        copy(["/a*.c"], "/one/"),
        copy(["/**/a*.c"], "/two/"),
        copy(["/a[1-2].?"], "/three/"),
        copy(["/b[[]1].c"], "/four/"),
        copy(["/none*"], "/five/", { allowEmpty: true }),
      ],
      [context(from)],
    )
    expect(listing(upper).map((line) => line.split(" ")[0])).toEqual([
      "four",
      "four/b[1].c",
      "one",
      "one/a1.c",
      "one/a2.c",
      "three",
      "three/a1.c",
      "three/a2.c",
      "two",
      "two/a4.c",
    ])
  })

  test("a missing source is named; so is one that the ignore file leaves out", async () => {
    await using lab = new Lab()
    const { root } = lab.makeRoot()
    const from = lab.makeFiles("ctx", { "secret.key": "S", a: "" })
    const sources = [context(from, ["*.key"])]
    for (const path of ["/nope", "/secret.key", "/a/b", "/*.key"])
      await expect(lab.files(root, [copy([path], "/x/")], sources)).rejects.toThrow(`"${path}": not found`)
  })

  test("a pattern names no dead link; of a directory that is left out something must have been taken back", async () => {
    await using lab = new Lab()
    const { root, upper } = lab.makeRoot()
    const from = lab.makeFiles("ctx", { "gone/a": "", "some/keep": "", "links/a": "" })
    symlinkSync("nowhere", join(from, "links/dead"))
    const sources = [context(from, ["*", "!gone/other", "!some/keep", "!links"])]
    await expect(lab.files(root, [copy(["/links/*"], "/x/")], sources)).rejects.toThrow('"/links/dead": not found')
    await expect(lab.files(root, [copy(["/gone"], "/x/")], sources)).rejects.toThrow('"/gone": not found')
    await lab.files(root, [copy(["/some"], "/y/")], sources)
    expect(listing(upper)).toEqual(["y d 755 0:0", "y/keep f 644 0:0"])
  })

  test("of a context, which a client sends, extended attributes stay behind", async () => {
    await using lab = new Lab()
    const { root, upper } = lab.makeRoot()
    const from = lab.makeFiles("ctx", { "d/a": "" })
    setAttribute(join(from, "d"), "user.x", Buffer.from("1"))
    setAttribute(join(from, "d/a"), "user.x", Buffer.from("1"))
    await lab.files(
      root,
      [copy(["/"], "/c/"), copy(["/"], "/s/", { from: 2 })],
      [context(from), { path: from, keepsOwners: true }],
    )
    const values = ["c/d", "c/d/a", "s/d", "s/d/a"].map((path) => getAttribute(join(upper, path), "user.x")?.toString())
    expect(values).toEqual([undefined, undefined, "1", "1"])
  })

  test("the ignore file holds, and what it takes back is there with its directories", async () => {
    await using lab = new Lab()
    const { root, upper } = lab.makeRoot()
    const from = lab.makeFiles("ctx", { a: "", "n/x": "", "n/keep/y": "", "n/keep/z.log": "", "m/x": "" })
    await lab.files(root, [copy(["/"], "/to")], [context(from, ["n", "m", "!n/keep", "**/*.log"])])
    expect(listing(upper).map((line) => line.split(" ")[0])).toEqual(["to", "to/a", "to/n", "to/n/keep", "to/n/keep/y"])
  })

  test("--parents keeps the names below the pivot, --exclude leaves out", async () => {
    await using lab = new Lab()
    const { root, upper } = lab.makeRoot()
    const from = lab.makeFiles("ctx", { "x/y/a.c": "", "x/y/b.h": "", "x/z/c.c": "", "x/z/d/e.c": "" })
    chmodSync(join(from, "x/y"), 0o700)
    await lab.files(
      root,
      [
        copy(["/x/y/a.c"], "/p/", { parents: true }),
        copy(["/x/./*/*.c"], "/q/", { parents: true }),
        copy(["/x/./**/*.c"], "/r/", { parents: true, exclude: ["z/c.c"] }),
        copy(["/x"], "/s/", { exclude: ["**/*.c", "!z/d/*.c", "/y"] }),
      ],
      [context(from)],
    )
    expect(
      listing(upper)
        .filter((line) => / f /.test(line))
        .map((line) => line.split(" ")[0]),
    ).toEqual(["p/x/y/a.c", "q/y/a.c", "q/z/c.c", "r/y/a.c", "r/z/d/e.c", "s/y/b.h", "s/z/d/e.c"])
    expect(listing(upper)).toContain("p/x/y d 700 0:0")
    await expect(lab.files(root, [copy(["/x/./gone.c"], "/q/", { parents: true })], [context(from)])).rejects.toThrow(
      '"/x/gone.c": not found',
    )
  })

  test("--parents with a wildcard before the pivot takes what is there, and asks for nothing", async () => {
    await using lab = new Lab()
    const { root, upper } = lab.makeRoot()
    // a file that the wildcard matches comes along as it is
    const files = {
      "p/file": "0",
      "p/one/package.json": "1",
      "p/two/other": "2",
      "p/three/sub/package.json": "3",
      "p/four/x/y": "4",
    }
    const sources = [context(lab.makeFiles("ctx", files))]
    const actions = ["/p/*/./package.json", "/p/*/./sub/package.json", "/p/*/./x/*", "/p/*/./gone"].map((source) =>
      copy([source], "/t/", { parents: true }),
    )
    await lab.files(root, actions, sources)
    expect(
      listing(upper)
        .filter((line) => / f /.test(line))
        .map((line) => line.split(" ")[0]),
    ).toEqual(["t/file", "t/package.json", "t/sub/package.json", "t/x/y"])
  })

  test("a directory over a file, and a file over a directory, are errors; a file over a link replaces it", async () => {
    await using lab = new Lab()
    const { root, upper } = lab.makeRoot("s", {
      "t/d": "file",
      "t/lib": "->usr",
      "t/usr/": "",
      "u/f/x": "",
      "v/l": "->../etc/passwd",
    })
    const from = lab.makeFiles("ctx", { "one/d/x": "", "two/lib/x": "", "three/f": "", "four/l": "new" })
    const sources = [context(from)]
    await expect(lab.files(root, [copy(["/one"], "/t")], sources)).rejects.toThrow(
      'cannot copy to non-directory: "/t/d"',
    )
    await expect(lab.files(root, [copy(["/two"], "/t")], sources)).rejects.toThrow("cannot copy to non-directory")
    await expect(lab.files(root, [copy(["/three"], "/u")], sources)).rejects.toThrow("cannot replace to directory")
    await lab.files(root, [copy(["/four"], "/v")], sources)
    expect(listing(upper)).toContain("v/l f 644 0:0 new")
  })

  test("links on the way to the target are followed inside the root, however they are written", async () => {
    await using lab = new Lab()
    const canary = lab.makeDirectory("canary")
    const { root, upper } = lab.makeRoot("s", {
      abs: `->${canary}`,
      up: `->../../../../../..${canary}`,
      "var/run": "->/run",
      file: `->${canary}/made`,
    })
    const from = lab.makeFiles("ctx", { a: "A" })
    await lab.files(
      root,
      ["/abs/x/", "/up/y/", "/var/run/z/", "/file"].map((target) => copy(["/a"], target)),
      [context(from)],
    )
    expect(readdirSync(canary)).toEqual([])
    expect(readFileSync(join(upper, canary, "x/a"), "utf8")).toBe("A")
    expect(readFileSync(join(upper, canary, "made"), "utf8")).toBe("A")
    expect(readFileSync(join(upper, "run/z/a"), "utf8")).toBe("A")
  })

  test("links of the source are followed at the top, inside the source only", async () => {
    await using lab = new Lab()
    const canary = lab.makeFiles("canary", { hosts: "HOST" })
    const { root, upper } = lab.makeRoot()
    const from = lab.makeFiles("ctx", {
      real: "R",
      l: "->real",
      evil: `->${canary}`,
      "d/deep": `->${canary}/hosts`,
      dl: "->d",
    })
    await lab.files(root, [copy(["/l"], "/x/"), copy(["/dl"], "/y/")], [context(from)])
    expect(listing(upper)).toEqual([
      "x d 755 0:0",
      "x/l f 644 0:0 R",
      "y d 755 0:0",
      `y/deep l 777 0:0 ${canary}/hosts`,
    ])
    for (const path of ["/evil", "/evil/hosts", "/d/deep"])
      await expect(lab.files(root, [copy([path], "/z/")], [context(from)])).rejects.toThrow("not found")
  })

  test("a full disk is told as such", async () => {
    await using lab = new Lab()
    const { root } = lab.makeRoot("s", { "small/": "" })
    const from = lab.makeFiles("ctx", { f: "x".repeat(300_000) })
    lab.mountTmpfs(join(root, "small"), "size=100k")
    await expect(lab.files(root, [copy(["/f"], "/small/")], [context(from)])).rejects.toMatchObject({
      code: "Unavailable",
    })
  })

  test("with an epoch all that is made has that time", async () => {
    await using lab = new Lab()
    const { root, upper } = lab.makeRoot()
    const from = lab.makeFiles("ctx", { "d/f": "", "d/l": "->f" })
    await lab.files(root, [copy(["/d"], "/x/"), { do: "mkdir", path: "/w/v", mode: 0o755 }], [context(from)], 1234567)
    for (const path of ["x", "x/f", "x/l", "w/v"]) expect(lstatSync(join(upper, path)).mtimeMs).toBe(1234567000)
  })

  test("in a directory with a set-group-id bit or a default ACL files still have owner and mode of the source", async () => {
    await using lab = new Lab()
    const { root, upper } = lab.makeRoot("s", { "g/": "", "acl/": "" })
    chownSync(join(root, "g"), 0, 55)
    chmodSync(join(root, "g"), 0o2775)
    setAttribute(join(root, "acl"), "system.posix_acl_default", DEFAULT_ACL)
    const from = lab.makeFiles("ctx", { f: "", "d/f": "" })
    await lab.files(root, [copy(["/"], "/g"), copy(["/"], "/acl")], [context(from)])
    for (const path of ["g/f", "g/d/f", "acl/f"]) expect(listing(upper)).toContain(`${path} f 644 0:0`)
  })
})

describe.skipIf(missing !== undefined)("WORKDIR", () => {
  test("is made with its parents inside the root, for its owner, and left alone where it is", async () => {
    await using lab = new Lab()
    const canary = lab.makeDirectory("canary")
    const { root, upper } = lab.makeRoot("s", { out: `->${canary}`, "home/app/": "" })
    await lab.files(root, [
      { do: "mkdir", path: "/out/x/y", mode: 0o755 },
      { do: "mkdir", path: "/home/app/src", mode: 0o755, owner: "app" },
      { do: "mkdir", path: "/home/app", mode: 0o700, owner: "app" },
    ])
    expect(readdirSync(canary)).toEqual([])
    expect(existsSync(join(upper, canary, "x/y"))).toBe(true)
    expect(listing(upper)).toContain("home/app/src d 755 1000:1001")
    expect(lstatSync(join(root, "home/app")).uid).toBe(0)
    await expect(lab.files(root, [{ do: "mkdir", path: "/etc/passwd/x", mode: 0o755 }])).rejects.toThrow(
      "a file is in the way",
    )
  })
})

/** Makes a context with an archive, by GNU tar. */
function archive(lab: Lab, name: string, flags: string, files: Record<string, string>): string {
  const tree = lab.makeFiles(`tree-${name}`, files)
  const directory = lab.makeDirectory("ctx")
  spawnSync("tar", [...flags.split(" "), join(directory, name), "-C", tree, "."])
  return directory
}

describe.skipIf(missing !== undefined)("ADD", () => {
  test("unpacks tar archives of all kinds, and copies what only looks like one", async () => {
    await using lab = new Lab()
    const { root, upper } = lab.makeRoot()
    let from = ""
    const kinds = { "a.tar": "-cf", "a.tgz": "-czf", "a.bz2": "-cjf", "a.xz": "-cJf", "plain-name": "--zstd -cf" }
    for (const [name, flags] of Object.entries(kinds)) from = archive(lab, name, flags, { "x/f": name, ".wh.f": "" })
    writeFileSync(join(from, "fake.tar.gz"), "\x1f\x8b\x08 no archive")
    mkdirSync(join(from, "directory.tar"))
    await lab.files(
      root,
      [...Object.keys(kinds), "fake.tar.gz", "directory.tar"].map((name) =>
        copy([`/${name}`], `/to/${name}/`, { unpack: true }),
      ),
      [context(from)],
    )
    for (const name of Object.keys(kinds)) {
      expect(readFileSync(join(upper, "to", name, "x/f"), "utf8")).toBe(name)
      expect(existsSync(join(upper, "to", name, ".wh.f"))).toBe(true)
    }
    expect(existsSync(join(upper, "to/fake.tar.gz/fake.tar.gz"))).toBe(true)
  })

  test("what an archive holds has its own owners, or --chown's; its root, FIFOs and devices are passed over", async () => {
    await using lab = new Lab()
    const { root, upper } = lab.makeRoot("s", { "to/": "" })
    const tree = lab.makeFiles("tree", { "d/f": "F", "d/g": "" })
    spawnSync("mkfifo", [join(tree, "d/fifo")])
    spawnSync("mknod", [join(tree, "d/null"), "c", "1", "3"])
    chownSync(join(tree, "d/f"), 1000, 1001)
    chmodSync(tree, 0o700)
    chmodSync(join(tree, "d"), 0o1777)
    const directory = lab.makeDirectory("ctx")
    const moved = ["-P", "--transform", "s,d/g,d/x/../../h,"]
    spawnSync("tar", ["-cf", join(directory, "a.tar"), "-C", tree, ...moved, "."])
    await lab.files(
      root,
      [copy(["/a.tar"], "/to", { unpack: true }), copy(["/a.tar"], "/new", { unpack: true, chown: "7:8" })],
      [context(directory)],
    )
    expect(listing(upper)).toEqual([
      "new d 755 7:8",
      "new/d d 1777 7:8",
      "new/d/f f 644 7:8 F",
      "new/h f 644 7:8",
      "to d 755 0:0",
      "to/d d 1777 0:0",
      "to/d/f f 644 1000:1001 F",
      "to/h f 644 0:0",
    ])
  })

  test("an archive leads nowhere outside its directory, and runs no program of the image", async () => {
    await using lab = new Lab()
    const canary = lab.makeFiles("canary", { keep: "K" })
    const { root } = lab.makeRoot("s", { "to/": "", "usr/bin/xz": "#!/bin/sh\nexit 1", "to/out": `->${canary}` })
    const tree = lab.makeFiles("tree", { "out/evil": "E" })
    symlinkSync(canary, join(tree, "link"))
    const directory = lab.makeDirectory("ctx")
    spawnSync("tar", ["-cJf", join(directory, "a.tar.xz"), "-C", tree, "out", "link"])
    spawnSync("tar", [
      "-cPf",
      join(directory, "b.tar"),
      "-C",
      tree,
      "--transform",
      "s,^out/evil,../../../evil,",
      "out/evil",
    ])
    await lab.files(root, [copy(["/a.tar.xz"], "/to", { unpack: true })], [context(directory)])
    expect(readdirSync(canary)).toEqual(["keep"])
    await expect(lab.files(root, [copy(["/b.tar"], "/to", { unpack: true })], [context(directory)])).rejects.toThrow(
      "outside",
    )
    expect(readdirSync(canary)).toEqual(["keep"])
  })
})
