import { afterEach, beforeEach, describe, expect } from "bun:test"
import { tellSkipped, testAsRoot as test } from "../../test/support/as-root.ts"
import { createHash } from "node:crypto"
import { execFileSync, spawn } from "node:child_process"
import {
  createReadStream,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import { gzipSync, zstdCompressSync } from "node:zlib"
import { getAttribute } from "../sys/fs/xattr.ts"
import { applyLayer } from "./archive.ts"
import { archiveOf, readAll, stream, type TestEntry } from "./testdata/archives.ts"

tellSkipped("apply-layer.test.ts")

let directory: string
let target: string

beforeEach(() => {
  directory = mkdtempSync("/tmp/skiff-layer-")
  target = join(directory, "target")
  mkdirSync(target)
})
afterEach(() => rmSync(directory, { recursive: true }))

const sh = (script: string) => execFileSync("bash", ["-euc", script], { cwd: directory, encoding: "utf8" })

/** Type, mode, owner, links, time with nanoseconds, target, attributes and content of every file, as find and getfattr see it. */
function listing(path: string): string {
  return sh(`export LC_ALL=C; cd ${path}; find . -printf '%y %m %U:%G %n %T@ %l %p\\n' | sort
    getfattr -Rdhm- . 2>/dev/null | sort
    find . -type f -exec sha256sum {} + | sort`)
}

const TREE = `
  mkdir -p tree/dir/sub tree/empty; cd tree
  head -c 200000 /dev/urandom > dir/big; echo hello > dir/sub/file; ln dir/big dir/hard; ln -s ../dir/big empty/link
  ln -s /nowhere dangling; mkfifo fifo; : > 'a name with spaces'; : > "$(printf 'caf\\351')"
  mkdir -p "$(printf 'n%.0s' {1..120})/$(printf 'm%.0s' {1..120})"; : > "$(printf 'n%.0s' {1..120})/$(printf 'm%.0s' {1..120})/long"
  truncate -s 3M sparse; printf x | dd of=sparse bs=1 seek=1000000 conv=notrunc status=none
  chmod 4755 dir/big; chmod 2775 dir; chmod 1777 empty; chown 1000:2000 dir/sub; chown -h 7:8 dangling; chown 3000000:4000000 fifo
  touch -d '2001-02-03 04:05:06.789012345' dir/sub/file; touch -h -d '1969-01-01 00:00:00.5' dangling
  touch -d '2020-01-01 00:00:00.123456789' dir empty .`

describe("against GNU tar", () => {
  const formats: [string, string][] = [
    ["gnu", "--format=gnu"],
    ["gnu sparse", "--format=gnu --sparse"],
    ["pax", "--format=pax --xattrs"],
    ["pax sparse 0.0", "--format=pax --sparse --sparse-version=0.0"],
    ["pax sparse 0.1", "--format=pax --sparse --sparse-version=0.1"],
    ["pax sparse 1.0", "--format=pax --sparse --sparse-version=1.0"],
  ]
  test.each(formats)("a tree in format %p comes out the same", async (_, flags) => {
    sh(
      `${TREE}; cd ..; tar cf x.tar ${flags} --numeric-owner -C tree .; mkdir gnu; tar xpf x.tar --numeric-owner --xattrs -C gnu`,
    )
    const { diffId } = await applyLayer(createReadStream(join(directory, "x.tar")), target)
    expect(listing(target)).toBe(listing(join(directory, "gnu")))
    expect(diffId as string).toBe(
      `sha256:${createHash("sha256")
        .update(readFileSync(join(directory, "x.tar")))
        .digest("hex")}`,
    )
    expect(lstatSync(join(target, "sparse")).blocks * 512).toBeLessThan(flags.includes("sparse") ? 100_000 : 4_000_000)
  })

  test.each(["ustar", "v7"])("a plain tree in format %p comes out the same", async (format) => {
    sh(
      `mkdir -p tree/d; echo x > tree/d/f; ln -s f tree/d/l; chmod 750 tree/d; tar cf x.tar --format=${format} -C tree .; mkdir gnu; tar xpf x.tar -C gnu`,
    )
    await applyLayer(createReadStream(join(directory, "x.tar")), target)
    expect(listing(target)).toBe(listing(join(directory, "gnu")))
  })
})

function layerOf(mark: string): Buffer {
  const entries = Array.from({ length: 50 }, (_, n): TestEntry => ({
    name: `d${n % 7}/f${n}`,
    content: mark.repeat(n),
  }))
  return gzipSync(archiveOf(entries))
}

test("layers extracted at the same time do not mix", async () => {
  const marks = ["a", "b", "c", "d", "a", "b", "c", "d"]
  const applied = await Promise.all(
    marks.map((mark, n) => {
      mkdirSync(join(directory, `${n}`))
      return applyLayer(stream(layerOf(mark), 50), join(directory, `${n}`))
    }),
  )
  expect(new Set(applied.map(({ diffId }) => diffId)).size).toBe(4)
  for (const [n, mark] of marks.entries())
    expect(readFileSync(join(directory, `${n}/d0/f49`), "utf8")).toBe(mark.repeat(49))
})

test("gzip, several gzip members, zstd and plain give the same diff id", async () => {
  const tar = archiveOf([{ name: "a", content: "x".repeat(100_000) }])
  const whole = [tar, gzipSync(tar), zstdCompressSync(tar)]
  const members = Buffer.concat([gzipSync(tar.subarray(0, 700)), gzipSync(tar.subarray(700))])
  const applied = await Promise.all(
    [...whole, members].map((bytes, n) => {
      mkdirSync(join(directory, `t${n}`))
      return applyLayer(stream(bytes, 1000), join(directory, `t${n}`))
    }),
  )
  expect(new Set(applied.map(({ diffId }) => diffId)).size).toBe(1)
  expect(applied.map(({ sizeBytes, entries }) => [sizeBytes, entries])).toEqual(
    Array.from({ length: 4 }, () => [100_000, 1]),
  )
})

function opaque(name: string): string | undefined {
  return getAttribute(join(target, name), "trusted.overlay.opaque")?.toString()
}

function apply(entries: readonly TestEntry[]): Promise<unknown> {
  return applyLayer(stream(archiveOf(entries)), target)
}

describe("whiteouts (image-spec layer.md)", () => {
  test("become overlay's, in directories made for them", async () => {
    await apply([{ name: "a/.wh.gone" }, { name: "b/.wh..wh..opq" }, { name: ".wh..wh.plnk", type: "directory" }])
    expect(lstatSync(join(target, "a/gone"))).toMatchObject({ rdev: 0 })
    expect(lstatSync(join(target, "a/gone")).isCharacterDevice()).toBe(true)
    expect(opaque("b")).toBe("y")
    expect(readdirSync(target).toSorted()).toEqual(["a", "b"])
  })

  test("hide lower layers only: what the same layer has stays, before or after", async () => {
    await apply([
      { name: "f", content: "kept" },
      { name: ".wh.f" },
      { name: ".wh.g" },
      { name: "g", content: "kept" },
      { name: "d/x", content: "kept" },
      { name: ".wh.d" },
      { name: ".wh.e" },
      { name: "e/deep/x", content: "kept" },
      { name: ".wh.h" },
      { name: "h", type: "directory" },
    ])
    for (const name of ["f", "g", "d/x", "e/deep/x"]) expect(readFileSync(join(target, name), "utf8")).toBe("kept")
    expect(["d", "e", "h"].map(opaque)).toEqual(["y", "y", "y"])
  })
})

test("a later entry of the same name replaces the earlier, whatever both are", async () => {
  const made: Record<string, TestEntry> = {
    file: { name: "x", content: "new" },
    directory: { name: "x", type: "directory" },
    symlink: { name: "x", type: "symlink", linkName: "elsewhere" },
    fifo: { name: "x", type: "fifo" },
    hardlink: { name: "x", type: "hardlink", linkName: "other" },
  }
  for (const [first, one] of Object.entries(made))
    for (const [second, two] of Object.entries(made)) {
      const place = join(directory, `${first}-${second}`)
      mkdirSync(place)
      await applyLayer(stream(archiveOf([{ name: "other" }, one, two, { name: "y" }])), place)
      const stat = lstatSync(join(place, "x"))
      const type = stat.isDirectory()
        ? "directory"
        : stat.isSymbolicLink()
          ? "symlink"
          : stat.isFIFO()
            ? "fifo"
            : "file"
      expect(type).toBe(second === "hardlink" ? "file" : second)
    }
})

test("more directories than are kept open do not use up the descriptors", async () => {
  const entries = Array.from({ length: 400 }, (_, n): TestEntry[] => [
    { name: `d${n}`, type: "directory", mode: 0o711 },
    { name: `d${n}/s`, type: "directory", mode: 0o700 },
    { name: `d${n}/s/f` },
  ]).flat()
  const before = readdirSync("/proc/self/fd").length
  await applyLayer(stream(archiveOf(entries)), target)
  expect(readdirSync("/proc/self/fd").length).toBeLessThanOrEqual(before + 2)
  expect(lstatSync(join(target, "d399")).mode & 0o777).toBe(0o711)
})

test("a full disk is Unavailable, and says what to do", async () => {
  const small = join(directory, "small")
  mkdirSync(small)
  sh(`mount -t tmpfs -o size=1m none ${small}`)
  try {
    const tar = archiveOf([{ name: "f", content: "x".repeat(3 << 20) }])
    await expect(applyLayer(stream(tar), small)).rejects.toMatchObject({
      code: "Unavailable",
      hint: { do: "freeSpace" },
    })
  } finally {
    sh(`umount ${small}`)
  }
})

test("a cancelled extraction ends with Cancelled", async () => {
  const signal = AbortSignal.abort()
  await expect(applyLayer(stream(archiveOf([{ name: "f" }])), target, { signal })).rejects.toMatchObject({
    code: "Cancelled",
  })
})

test("inside a user namespace: whiteouts in the user space, foreign owners refused by name", async () => {
  const script = `
    const { applyLayer } = await import("${import.meta.dir}/archive.ts")
    const { archiveOf, stream } = await import("${import.meta.dir}/testdata/archives.ts")
    const apply = (entries, to) => applyLayer(stream(archiveOf(entries)), to, { rootless: true })
    await apply([{ name: "d/.wh..wh..opq" }, { name: ".wh.w" }, { name: "f", uid: 5, gid: 5 }], "${target}")
    await apply([{ name: "g", uid: 70000 }], "${target}").catch((error) => console.log(error.code, error.hint))`
  const child = spawn("unshare", ["-U", "sh", "-c", 'read go; exec "$@"', "sh", process.execPath, "-e", script])
  await Bun.sleep(100) // until it is in its namespace
  writeFileSync(`/proc/${child.pid}/uid_map`, "0 0 1\n1 100000 65535")
  writeFileSync(`/proc/${child.pid}/gid_map`, "0 0 1\n1 100000 65535")
  child.stdin.end("\n")
  const output = (await Promise.all([child.stdout.toArray(), child.stderr.toArray()])).flat().join("")
  expect(output).toMatch(/^FailedPrecondition .*subuid/)
  expect(getAttribute(join(target, "d"), "user.overlay.opaque")?.toString()).toBe("y")
  expect(lstatSync(join(target, "w")).isCharacterDevice()).toBe(true)
  expect(lstatSync(join(target, "f")).uid).toBe(100_004)
})

test("GNU tar's own listing of a system directory is what the reader sees", () => {
  sh("tar cf x.tar --format=pax -C /usr/share/doc bash coreutils")
  const names = readAll(readFileSync(join(directory, "x.tar"))).map(({ entry }) => entry.name)
  expect(names.join("\n")).toBe(sh("tar tf x.tar --quoting-style=literal").trim())
  expect(existsSync(target)).toBe(true)
})
