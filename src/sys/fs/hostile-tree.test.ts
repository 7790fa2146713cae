/** Walks, copies and removals of trees that a container made (docs/design/005-hostile-trees.md). */
import { afterEach, beforeEach, describe, expect } from "bun:test"
import { tellSkipped, testAsRoot as test } from "../../../test/support/as-root.ts"
import { execFileSync } from "node:child_process"
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import { openOrMakeDirectory, openRoot, readFileInRoot } from "./confined.ts"
import { copyTree } from "./copy-tree.ts"
import { close } from "../libc.ts"
import { removeTree } from "./remove-tree.ts"
import { treeUsage } from "./tree-usage.ts"
import { getAttribute, setAttribute } from "./xattr.ts"

tellSkipped("hostile-tree.test.ts")

let directory: string
let canary: string
let tree: string

beforeEach(() => {
  directory = mkdtempSync("/tmp/skiff-tree-")
  canary = join(directory, "canary")
  tree = join(directory, "tree")
  mkdirSync(tree)
  mkdirSync(canary)
  writeFileSync(join(canary, "file"), "untouched", { mode: 0o640 })
})
afterEach(() => {
  expect(readFileSync(join(canary, "file"), "utf8")).toBe("untouched")
  expect(lstatSync(join(canary, "file")).mode & 0o7777).toBe(0o640)
  rmSync(directory, { recursive: true, force: true })
})

const sh = (script: string) =>
  execFileSync("bash", ["-euc", `export LC_ALL=C; ${script}`], { cwd: directory, encoding: "utf8" })
const listing = (path: string) =>
  sh(`cd ${path}; find . -printf '%y %m %U:%G %n %T@ %l %p\\n' | sort; find . -type f -exec sha256sum {} + | sort`)

const TREE = `
  cd tree; mkdir -p dir/sub empty; head -c 3000000 /dev/urandom > dir/big; echo x > dir/sub/file; ln dir/big hard
  ln -s ../../canary/file dir/out; ln -s dir/sub short; mkfifo fifo; : > "$(printf 'caf\\351')"
  chmod 4711 dir/big; chmod 2775 dir; chown 12:34 dir/sub; chown -h 5:6 short; chown 7:8 fifo
  touch -h -d '2001-02-03 04:05:06.789012345' dir/sub/file short fifo; touch -d '2002-02-03 04:05:06.5' dir empty .`

describe("copyTree()", () => {
  test("keeps owners, modes, links, times and content, and follows nothing", async () => {
    sh(TREE)
    setAttribute(join(tree, "dir"), "user.kept", Buffer.from([0, 1, 255]))
    setAttribute(join(tree, "dir"), "user.overlay.opaque", Buffer.from("y"))
    mkdirSync(join(directory, "copy"))
    await copyTree(tree, "/", join(directory, "copy"), "/")
    expect(listing(join(directory, "copy"))).toBe(listing(tree))
    expect(getAttribute(join(directory, "copy/dir"), "user.kept")).toEqual(Buffer.from([0, 1, 255]))
    expect(getAttribute(join(directory, "copy/dir"), "user.overlay.opaque")).toBeUndefined()
  })

  test("resolves links of the source path inside its root", async () => {
    sh(
      "mkdir -p tree/real; echo in > tree/real/f; ln -s /real tree/abs; ln -s ../../../../real tree/up; ln -s ../canary tree/out",
    )
    for (const path of ["/abs", "up", "/../../real"]) {
      await copyTree(tree, path, directory, `copy of ${path.replaceAll("/", "-")}`)
      expect(readFileSync(join(directory, `copy of ${path.replaceAll("/", "-")}`, "f"), "utf8")).toBe("in\n")
    }
    await expect(copyTree(tree, "out", directory, "copy")).rejects.toThrow("no such directory")
    await expect(copyTree(tree, "real/f", directory, "copy")).rejects.toThrow("no such directory")
  })

  test("makes no devices, and keeps holes: a sparse file of a terabyte costs nothing", async () => {
    sh(
      "truncate -s 1T tree/hole; printf end | dd of=tree/hole bs=1 seek=1000000 conv=notrunc status=none; mknod tree/null c 1 3",
    )
    mkdirSync(join(directory, "copy"))
    await copyTree(tree, "/", join(directory, "copy"), "/")
    expect(statSync(join(directory, "copy/hole")).size).toBe(2 ** 40)
    expect(statSync(join(directory, "copy/hole")).blocks * 512).toBeLessThan(1 << 20)
    expect(sh("dd if=copy/hole bs=1 skip=1000000 count=3 status=none")).toBe("end")
    expect(existsSync(join(directory, "copy/null"))).toBe(false)
  })

  test("copies to another file system", async () => {
    sh(`${TREE}; mkdir ../other; mount -t tmpfs none ../other`)
    try {
      await copyTree(tree, "/", join(directory, "other"), "/")
      expect(listing(join(directory, "other"))).toBe(listing(tree))
    } finally {
      sh("umount other")
    }
  })

  test("a link in the way of the target is replaced, never written through", async () => {
    sh(
      "echo evil > tree/file; mkdir tree/d copy; echo evil > tree/d/file; ln -s ../canary/file copy/file; ln -s ../canary copy/d",
    )
    await copyTree(tree, "/", join(directory, "copy"), "/")
    expect(readFileSync(join(directory, "copy/d/file"), "utf8")).toBe("evil\n")
    expect(lstatSync(join(directory, "copy/d")).isSymbolicLink()).toBe(false)
  })
})

describe("removeTree()", () => {
  test("removes links, not what they lead to; false when nothing is there", async () => {
    sh(`${TREE}; ln -s ../canary out; ln -s /nowhere nowhere`)
    expect(await removeTree(tree)).toBe(true)
    expect(await removeTree(tree)).toBe(false)
    expect(existsSync(tree)).toBe(false)
    symlinkSync(canary, tree)
    expect(await removeTree(tree)).toBe(true)
  })

  test("removes a tree 2,500 directories deep, where no path reaches", async () => {
    sh(`python3 -c "
import os
os.chdir('tree')
for n in range(2500): os.mkdir('d'); os.chdir('d')"`)
    expect((await treeUsage(tree)).inodes).toBeGreaterThan(500)
    expect(await removeTree(tree)).toBe(true)
  }, 30_000)

  test("stops at a mount and says where; what is mounted keeps its files", async () => {
    mkdirSync(join(tree, "a/b"), { recursive: true })
    sh("mount --bind canary tree/a/b")
    try {
      await expect(removeTree(tree)).rejects.toThrow(/something is mounted on "b"/)
    } finally {
      sh("umount tree/a/b")
    }
    expect(await removeTree(tree)).toBe(true)
  })

  test("removes what an ordinary user made unreadable", async () => {
    sh(
      "mkdir -p tree/locked/in; touch tree/locked/in/f; chown -R 12345:12345 tree; chmod 0 tree/locked/in tree/locked; chmod 777 .",
    )
    const script = `const { removeTree } = await import("${import.meta.dir}/remove-tree.ts"); removeTree("${tree}")`
    const argv = ["--reuid", "12345", "--regid", "12345", "--clear-groups", process.execPath, "-e", script]
    const { stderr } = Bun.spawnSync(["setpriv", ...argv], { cwd: "/" })
    expect(stderr.toString()).toBe("")
    expect(existsSync(tree)).toBe(false)
  })
})

test("treeUsage() is what du says", async () => {
  sh(`${TREE}; truncate -s 1G hole; ln -s ${canary} out`)
  const { bytes, inodes } = await treeUsage(tree)
  expect(bytes).toBe(Number(sh("du -s --block-size=1 tree | cut -f1")))
  expect(inodes).toBe(Number(sh("find tree -printf '%i\\n' | sort -u | wc -l")))
})

test("openOrMakeDirectory() makes parents inside the root, through links too", async () => {
  sh("mkdir tree/real; ln -s /real tree/link; ln -s ../../canary tree/out")
  const root = openRoot(tree)
  try {
    close(openOrMakeDirectory(root, "link/a/b"))
    expect(existsSync(join(tree, "real/a/b"))).toBe(true)
    expect(() => close(openOrMakeDirectory(root, "out/x"))).toThrow("ENOENT")
  } finally {
    close(root)
  }
})

function read(path: string): Uint8Array | undefined {
  return readFileInRoot(tree, path, 1000)
}

test("readFileInRoot() reads inside the root only, waits on no FIFO and stops at the limit", async () => {
  sh(
    "echo in > tree/f; ln -s ../canary/file tree/out; ln -s /f tree/abs; mkfifo tree/fifo; truncate -s 5G tree/huge; ln -s /proc/self/environ tree/magic",
  )
  expect(Buffer.from(read("abs") ?? []).toString()).toBe("in\n")
  expect([read("out"), read("magic"), read("none"), read("f/below")]).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ])
  expect(() => read("fifo")).toThrow("not a regular file")
  expect(() => read("huge")).toThrow("5368709120 bytes")
})
