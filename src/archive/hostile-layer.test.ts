/** What a hostile layer must not reach: the known holes of extractors. */
import { afterEach, beforeEach, describe, expect } from "bun:test"
import { tellSkipped, testAsRoot as test } from "../../test/support/as-root.ts"
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs"
import { utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gzipSync, zstdCompressSync } from "node:zlib"
import { isSkiffError } from "../base/errors.ts"
import { getAttribute, listAttributes } from "../sys/fs/xattr.ts"
import { applyLayer, type LayerLimits } from "./archive.ts"
import { archiveOf, paxHeader, paxRecord, rawHeader, stream, type TestEntry } from "./testdata/archives.ts"
import { encodeTarHeader, TAR_END_BYTES } from "./tar-writer.ts"

tellSkipped("hostile-layer.test.ts")

const END = Buffer.alloc(TAR_END_BYTES)
let directory: string
let target: string
let canary: string
let canaryBefore: string

beforeEach(() => {
  directory = mkdtempSync("/tmp/skiff-hostile-")
  target = join(directory, "deep/target")
  canary = join(directory, "canary")
  mkdirSync(target, { recursive: true })
  mkdirSync(canary)
  writeFileSync(join(canary, "file"), "untouched")
  chmodSync(join(canary, "file"), 0o640)
  utimesSync(join(canary, "file"), 1000, 1000)
  utimesSync(canary, 1000, 1000)
  canaryBefore = fingerprint()
})

afterEach(() => {
  expect(fingerprint()).toBe(canaryBefore)
  expect(readdirSync(directory).toSorted()).toEqual(["canary", "deep"])
  expect(readdirSync(join(directory, "deep"))).toEqual(["target"])
  rmSync(directory, { recursive: true })
})

/** Bytes, mode, owner, links, times of the canary. */
function fingerprint(): string {
  const file = join(canary, "file")
  return JSON.stringify([attributesOf(canary), attributesOf(file), readFileSync(file, "utf8"), readdirSync(canary)])
}

function attributesOf(path: string): unknown[] {
  const { mode, uid, gid, nlink, mtimeMs } = lstatSync(path)
  return [path, mode, uid, gid, nlink, mtimeMs, listAttributes(path)]
}

async function apply(entries: readonly TestEntry[] | Uint8Array, limits?: Partial<LayerLimits>): Promise<string> {
  const bytes = entries instanceof Uint8Array ? entries : archiveOf(entries)
  try {
    await applyLayer(stream(bytes), target, { limits })
    return "applied"
  } catch (error) {
    if (!isSkiffError(error)) throw error
    return error.code
  }
}

describe("names", () => {
  test.each(["../canary/file", "a/../../../canary/file", "/../../canary/file", "..", "./..", "a/.."])(
    "%p is refused",
    async (name) => expect(await apply([{ name, content: "x" }])).toBe("InvalidArgument"),
  )

  test("a leading slash, a point and double slashes count for nothing", async () => {
    expect(await apply([{ name: "/etc//./passwd", content: "inside" }, { name: "//b" }])).toBe("applied")
    expect(readFileSync(join(target, "etc/passwd"), "utf8")).toBe("inside")
  })

  test("a pax name with a NUL is refused", async () => {
    const archive = Buffer.concat([paxHeader(paxRecord("path", "a\0/../../canary/file")), rawHeader({}), END])
    expect(await apply(archive)).toBe("InvalidArgument")
  })

  test("names that are not UTF-8 are kept as bytes", async () => {
    expect(await apply([{ name: "caf\xe9" }, { name: "caf\xe9.link", type: "hardlink", linkName: "caf\xe9" }])).toBe(
      "applied",
    )
    expect(
      readdirSync(target, { encoding: "buffer" })
        .map((name) => name.toString("latin1"))
        .toSorted(),
    ).toEqual(["caf\xe9", "caf\xe9.link"])
  })

  test("a name, an attribute or a header beyond its limit is refused", async () => {
    expect(await apply([{ name: "x".repeat(256) }])).toBe("InvalidArgument")
    expect(await apply([{ name: "x/".repeat(2100) }])).toBe("InvalidArgument")
    expect(await apply([{ name: "a", attributes: new Map([["user.x", Buffer.alloc(65_537)]]) }])).toBe(
      "InvalidArgument",
    )
    expect(await apply(Buffer.concat([paxHeader(paxRecord("comment", "x".repeat(1 << 20))), rawHeader({}), END]))).toBe(
      "InvalidArgument",
    )
  })
})

describe("links", () => {
  test("a file through a link to the host lands inside", async () => {
    const entries: TestEntry[] = [
      { name: "a", type: "symlink", linkName: canary },
      { name: "b", type: "symlink", linkName: "../../canary" },
    ]
    expect(await apply([...entries, { name: "a/file", content: "x" }])).not.toBe("crash")
    expect(await apply([...entries, { name: "b/new", content: "x" }])).not.toBe("crash")
  })

  test("a directory entry over a link to the host replaces the link", async () => {
    const link: TestEntry = { name: "a", type: "symlink", linkName: canary }
    expect(await apply([link, { name: "a/", type: "directory", mode: 0o777 }])).toBe("applied")
    expect(lstatSync(join(target, "a")).isDirectory()).toBe(true)
  })

  test("a directory that becomes a link to the host keeps its later mode and time inside", async () => {
    const entries: TestEntry[] = [
      { name: "a", type: "directory", mode: 0o777, mtime: { seconds: 5n, nanoseconds: 0 } },
      { name: "a", type: "symlink", linkName: canary },
    ]
    expect(await apply(entries)).toBe("applied")
    expect(lstatSync(join(target, "a")).isSymbolicLink()).toBe(true)
  })

  test("a chain of 41 links ends in an error", async () => {
    const chain = Array.from({ length: 41 }, (_, n): TestEntry => ({
      name: `l${n}`,
      type: "symlink",
      linkName: `l${n + 1}`,
    }))
    expect(await apply([...chain, { name: "l0/x", content: "x" }])).toBe("InvalidArgument")
  })

  test("a hard link to a host file is refused, and its mode is not changed through it", async () => {
    for (const linkName of ["../../canary/file", join(canary, "file"), "s/file"]) {
      const entries: TestEntry[] = [
        { name: "s", type: "symlink", linkName: canary },
        {
          name: "h",
          type: "hardlink",
          linkName,
          mode: 0o4777,
          uid: 7,
          attributes: new Map([["user.x", Buffer.from("y")]]),
        },
        { name: "h", mode: 0o4777, uid: 7, content: "x" },
      ]
      expect(await apply(entries)).toBe("InvalidArgument")
    }
  })

  test("a hard link to a link makes another link, whose target keeps its mode", async () => {
    const entries: TestEntry[] = [
      { name: "s", type: "symlink", linkName: join(canary, "file") },
      { name: "h", type: "hardlink", linkName: "s", mode: 0o4777, uid: 7 },
    ]
    expect(await apply(entries)).toBe("applied")
    expect(lstatSync(join(target, "h")).isSymbolicLink()).toBe(true)
    expect(await apply([{ name: "h", mode: 0o777, content: "x" }])).toBe("applied")
  })

  test("a hard link to itself, a directory or a whiteout does no harm", async () => {
    const file: TestEntry = { name: "a", content: "kept" }
    expect(await apply([file, { name: "a", type: "hardlink", linkName: "a" }])).toBe("applied")
    expect(readFileSync(join(target, "a"), "utf8")).toBe("kept")
    expect(
      await apply([
        { name: "d", type: "directory" },
        { name: "e", type: "hardlink", linkName: "d" },
      ]),
    ).toBe("InvalidArgument")
    expect(await apply([{ name: ".wh.w" }, { name: "v", type: "hardlink", linkName: "w" }])).toBe("InvalidArgument")
  })
})

describe("whiteouts", () => {
  test.each([".wh.", ".wh..", ".wh...", "a/.wh...", ".wh.../x", "a/.wh.b/c"])("%p is refused", async (name) =>
    expect(await apply([{ name }])).toBe("InvalidArgument"),
  )

  test("an opaque root marks the layer's root and removes nothing", async () => {
    expect(await apply([{ name: "a", content: "x" }, { name: ".wh..wh..opq" }])).toBe("applied")
    expect(getAttribute(target, "trusted.overlay.opaque")?.toString()).toBe("y")
    expect(readdirSync(target)).toEqual(["a"])
  })

  test("a whiteout through a link to the host stays inside", async () => {
    await apply([{ name: "l", type: "symlink", linkName: canary }, { name: "l/.wh.file" }])
    await apply([{ name: "m", type: "symlink", linkName: "../../canary" }, { name: "m/.wh..wh..opq" }])
  })
})

describe("attributes and devices", () => {
  test("overlay's attributes and the host policy's are dropped, capabilities stay", async () => {
    const capability = Buffer.from("0100000200200000000000000000000000000000", "hex")
    const attributes = new Map<string, Uint8Array>([
      ["trusted.overlay.redirect", Buffer.from("/etc")],
      ["user.overlay.redirect", Buffer.from("/etc")],
      ["trusted.overlay.opaque", Buffer.from("y")],
      ["user.fuseoverlayfs.opaque", Buffer.from("y")],
      ["security.selinux", Buffer.from("x")],
      ["security.capability", capability],
      ["user.kept", Buffer.from([0, 255, 10])],
    ])
    const entries: TestEntry[] = [
      { name: "f", attributes },
      { name: "d", type: "directory", attributes },
      { name: "s", type: "symlink", linkName: "x", attributes },
    ]
    expect(await apply(entries)).toBe("applied")
    expect(listAttributes(join(target, "f")).toSorted()).toEqual(["security.capability", "user.kept"])
    expect(getAttribute(join(target, "f"), "security.capability")).toEqual(capability)
    expect(getAttribute(join(target, "f"), "user.kept")).toEqual(Buffer.from([0, 255, 10]))
    expect(listAttributes(join(target, "d")).filter((name) => name.includes("overlay"))).toEqual([])
    expect(listAttributes(join(target, "s")).filter((name) => name.includes("overlay"))).toEqual([])
  })

  test("no device node is made, 0:0 least of all", async () => {
    const entries: TestEntry[] = [
      { name: "sda", type: "block", device: { major: 8, minor: 0 } },
      { name: "null", type: "character", device: { major: 1, minor: 3 } },
      { name: "etc", type: "character", device: { major: 0, minor: 0 } },
    ]
    expect(await apply(entries)).toBe("applied")
    expect(readdirSync(target)).toEqual([])
  })

  test("an owner beyond 32 bits is refused", async () => {
    expect(await apply([{ name: "f", uid: 2 ** 32 }])).toBe("InvalidArgument")
    expect(await apply([{ name: "f", gid: 2 ** 32 - 1 }])).toBe("InvalidArgument")
  })
})

describe("bombs and damage", () => {
  test("a sparse file of 2^40 bytes is stopped at the cap, with nothing written", async () => {
    const records = [
      paxRecord("GNU.sparse.size", String(2 ** 40)),
      paxRecord("GNU.sparse.map", "0,512"),
      paxRecord("GNU.sparse.name", "huge"),
    ].join("")
    const archive = Buffer.concat([
      paxHeader(records),
      rawHeader({}, { name: "f", sizeBytes: 512 }),
      Buffer.alloc(512),
      END,
    ])
    expect(await apply(archive)).toBe("InvalidArgument")
    expect(existsSync(join(target, "huge"))).toBe(false)
    expect(await apply(archive, { totalBytes: 2 ** 41 })).toBe("applied")
    expect(statSync(join(target, "huge")).size).toBe(2 ** 40)
    expect(statSync(join(target, "huge")).blocks).toBeLessThan(100)
  })

  test("a size that the archive does not have ends in DataLoss, not in memory", async () => {
    expect(await apply([{ name: "f", sizeBytes: 2 ** 35 }])).toBe("DataLoss")
    expect(await apply([{ name: "f", sizeBytes: 2 ** 45 }])).toBe("InvalidArgument")
  })

  test("a gzip bomb is stopped, memory flat", async () => {
    // 10 GB of zeros in 10 MB: members one after the other are one stream (RFC 1952, 2.2)
    const header = encodeTarHeader({ name: "zeros", sizeBytes: 10 * 2 ** 30 })
    const member = gzipSync(Buffer.alloc(64 << 20))
    async function* bomb() {
      yield gzipSync(header)
      for (let n = 0; n < 160; n++) yield member
    }
    const before = process.memoryUsage().rss
    const applied = applyLayer(bomb(), target, { limits: { expansionFreeBytes: 200 << 20 } })
    await expect(applied).rejects.toMatchObject({ code: "InvalidArgument" })
    expect(process.memoryUsage().rss - before).toBeLessThan(200 << 20)
  }, 20_000)

  test("too many files are stopped at the cap", async () => {
    const entries = Array.from({ length: 20 }, (_, n): TestEntry => ({ name: `f${n}` }))
    expect(await apply(entries, { entries: 10 })).toBe("InvalidArgument")
  })

  test.each(["gzip", "zstd", "none"])("a truncated or damaged %p stream is DataLoss", async (kind) => {
    const noise = Buffer.from(crypto.getRandomValues(new Uint8Array(60_000))).toString("latin1")
    const tar = archiveOf([{ name: "f", content: noise }])
    const whole = kind === "gzip" ? gzipSync(tar) : kind === "zstd" ? zstdCompressSync(tar) : tar
    expect(await apply(whole)).toBe("applied")
    expect(await apply(whole.subarray(0, 30_000))).toBe("DataLoss")
    if (kind !== "none")
      expect(await apply(Buffer.concat([whole.subarray(0, 20_000), Buffer.alloc(500)]))).toBe("DataLoss")
  })

  test("an error of the source comes through as it is", async () => {
    const cause = new Error("connection reset")
    async function* broken() {
      yield gzipSync(archiveOf([{ name: "f" }])).subarray(0, 20)
      throw cause
    }
    await expect(applyLayer(broken(), target)).rejects.toBe(cause)
  })

  test("a tool found in the layer, or by PATH, never runs", async () => {
    const trojan = `#!/bin/sh\ntouch ${canary}/ran`
    const names = ["xz", "bzip2", "gzip", "zstd", "tar", "unpigz"]
    expect(await apply(names.map((name) => ({ name, mode: 0o755, content: trojan })))).toBe("applied")
    const path = process.env.PATH
    const back = process.cwd()
    process.env.PATH = `${target}:${path}`
    process.chdir(target)
    try {
      const xz = Bun.spawnSync(["/usr/bin/xz", "-c"], { stdin: archiveOf([{ name: "from-xz" }]) }).stdout
      expect(await apply(xz)).toBe("applied")
      expect(await apply(xz.subarray(0, xz.length - 20))).toBe("DataLoss")
    } finally {
      process.env.PATH = path
      process.chdir(back)
    }
    expect(existsSync(join(target, "from-xz"))).toBe(true)
  })
})

test("a link swapped in while files are made never leads out", async () => {
  // another thread of the host plays the attacker: it swaps a directory of the target for a link to the canary
  const swapper = Bun.spawn(["python3", "-c", SWAP, join(target, "d"), canary], { stdout: "ignore", stderr: "ignore" })
  try {
    const entries = Array.from({ length: 300 }, (_, n): TestEntry => ({ name: `d/f${n}`, content: "x", mode: 0o777 }))
    for (const start = Date.now(); Date.now() - start < 1500;) {
      // the tree is pulled away below us: an errno is a fair answer, a change outside is not
      const outcome = await apply([{ name: "d", type: "directory" }, ...entries]).catch((error) => error.code)
      expect(["applied", "InvalidArgument", "ENOENT", "EEXIST", "ENOTDIR", "ELOOP", "EAGAIN"]).toContain(outcome)
    }
  } finally {
    swapper.kill("SIGKILL")
    await swapper.exited
  }
}, 20_000)

const SWAP = `
import os, sys
d, canary = sys.argv[1:]
while True:
    try:
        os.rename(d, d + '.aside'); os.symlink(canary, d)
        os.unlink(d); os.rename(d + '.aside', d)
    except OSError: pass
`
