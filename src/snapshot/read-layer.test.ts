import { expect } from "bun:test"
import { tellSkipped, testAsRoot as test } from "../../test/support/as-root.ts"
import { execFileSync } from "node:child_process"
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import { applyLayer } from "../archive/archive.ts"
import { Database } from "../base/database.ts"
import type { ChainId } from "../spec/digest.ts"
import { mountAt, unmount } from "../sys/fs/mount.ts"
import { removeTreeSync } from "../sys/fs/remove-tree.ts"
import { getAttribute, setAttribute } from "../sys/fs/xattr.ts"
import { openSnapshotter } from "./open.ts"
import { snapshotSchema } from "./schema.ts"
import { chainId } from "./snapshot.suite.ts"
import type { Snapshotter } from "./snapshot.ts"

tellSkipped("read-layer.test.ts")

/** cap_net_bind_service=ep, as capabilities(7) stores it. */
const CAPABILITY = "0100000200040000000000000000000000000000"

for (const driver of ["overlay", "native"] as const) {
  test(`${driver}: a layer names what was made, altered and deleted, with the directories above it, and nothing else`, async () => {
    await using lab = await openLab(driver)
    await lab.step(1, undefined, (root) => {
      mkdirSync(join(root, "etc/deep/er"), { recursive: true })
      mkdirSync(join(root, "gone/inner"), { recursive: true })
      for (const name of ["etc/kept", "etc/changed", "etc/deleted", "gone/a", "gone/inner/b", "etc/deep/er/x"])
        writeFileSync(join(root, name), name)
    })
    const layer = await lab.step(2, 1, (root) => {
      writeFileSync(join(root, "etc/changed"), "a new one")
      rmSync(join(root, "etc/deleted"))
      rmSync(join(root, "gone"), { recursive: true })
      writeFileSync(join(root, "etc/deep/er/y"), "y")
      mkdirSync(join(root, "made"))
      // leaves a copied-up directory in an overlay that differs in nothing
      writeFileSync(join(root, "etc/passing"), "")
      rmSync(join(root, "etc/passing"))
    })
    expect(namesIn(layer)).toEqual([
      "etc/",
      "etc/changed",
      "etc/deep/",
      "etc/deep/er/",
      "etc/deep/er/y",
      "etc/.wh.deleted",
      ".wh.gone",
      "made/",
    ])
  })

  test(`${driver}: a directory that was replaced hides what the lower one had`, async () => {
    await using lab = await openLab(driver)
    await lab.step(1, undefined, (root) => {
      mkdirSync(join(root, "d/sub"), { recursive: true })
      writeFileSync(join(root, "d/old"), "old")
      writeFileSync(join(root, "d/both"), "old")
      writeFileSync(join(root, "d/sub/old"), "old")
    })
    const layer = await lab.step(2, 1, (root) => {
      rmSync(join(root, "d"), { recursive: true })
      mkdirSync(join(root, "d/sub"), { recursive: true })
      writeFileSync(join(root, "d/both"), "a new one") // native tells by size and time, and a tick of the clock is 4 ms
    })
    expect(namesIn(layer)).toEqual(["d/", "d/both", "d/.wh.old", "d/sub/", "d/sub/.wh.old"])
  })

  test(`${driver}: applied to the parent, the layer gives the same tree again`, async () => {
    await using lab = await openLab(driver)
    await lab.step(1, undefined, (root) => {
      mkdirSync(join(root, "bin"))
      writeFileSync(join(root, "bin/tool"), "tool")
      symlinkSync("tool", join(root, "bin/link"))
    })
    const layer = await lab.step(2, 1, (root) => {
      chmodSync(join(root, "bin/tool"), 0o4755)
      setAttribute(join(root, "bin/tool"), "security.capability", Buffer.from(CAPABILITY, "hex"))
      setAttribute(join(root, "bin/tool"), "user.note", Buffer.from([0, 255]))
      linkSync(join(root, "bin/tool"), join(root, "bin/hard"))
      symlinkSync("x".repeat(200), join(root, "long"))
      mkdirSync(join(root, "n\u00e4me"), 0o700)
      writeFileSync(join(root, `n\u00e4me/${"f".repeat(200)}`), "deep")
      execFileSync("mkfifo", [join(root, "pipe")])
      execFileSync("mknod", [join(root, "device"), "c", "1", "3"])
    })
    const again = await lab.extract(3, 1, layer)
    const tool = statSync(join(again, "bin/tool"))
    expect([tool.mode & 0o7777, tool.nlink]).toEqual([0o4755, 2])
    expect(getAttribute(join(again, "bin/hard"), "security.capability")?.toString("hex")).toBe(CAPABILITY)
    expect(getAttribute(join(again, "bin/hard"), "user.note")).toEqual(Buffer.from([0, 255]))
    expect(lstatSync(join(again, "long")).isSymbolicLink()).toBe(true)
    expect(readFileSync(join(again, `n\u00e4me/${"f".repeat(200)}`), "utf8")).toBe("deep")
    expect(lstatSync(join(again, "pipe")).isFIFO()).toBe(true)
    expect(namesIn(layer)).toContain("device")
  })
}

test("a layer has the same bytes each time, whoever stands on the snapshot", async () => {
  await using lab = await openLab("overlay")
  await lab.step(1, undefined, (root) => writeFileSync(join(root, "a"), "a"))
  const layer = await lab.step(2, 1, (root) => {
    for (const name of ["z", "b", "m"]) writeFileSync(join(root, name), name.repeat(70_000))
  })
  await lab.step(3, 2, (root) => writeFileSync(join(root, "z"), "other"))
  expect(await lab.diff(chainId(2))).toEqual(layer)
})

test("what was opened for writing and left as it was is no change; equal times with other bytes are one", async () => {
  await using lab = await openLab("overlay")
  await lab.step(1, undefined, (root) => {
    for (const name of ["same", "other"]) {
      writeFileSync(join(root, name), "aaaa")
      utimesSync(join(root, name), 1_700_000_000, 1_700_000_000)
    }
  })
  const layer = await lab.step(2, 1, (root) => {
    for (const [name, text] of [
      ["same", "aaaa"],
      ["other", "bbbb"],
    ] as const) {
      writeFileSync(join(root, name), text)
      utimesSync(join(root, name), 1_700_000_000, 1_700_000_000)
    }
  })
  expect(namesIn(layer)).toEqual(["other"])
})

test("links in the tree are never followed, and overlay's own attributes never leave it", async () => {
  await using lab = await openLab("overlay")
  const canary = join(lab.root, "canary")
  writeFileSync(canary, "secret")
  await lab.step(1, undefined, (root) => mkdirSync(join(root, "d")))
  const layer = await lab.step(2, 1, (root) => {
    symlinkSync(canary, join(root, "file"))
    rmSync(join(root, "d"), { recursive: true })
    symlinkSync(lab.root, join(root, "d"))
    mkdirSync(join(root, "e"))
    // in a store of root's this is a user's attribute like any other, and means nothing
    setAttribute(join(root, "e"), "user.overlay.opaque", Buffer.from("y"))
  })
  expect(namesIn(layer)).toEqual(["d", "e/", "file"])
  expect(layer.includes("secret")).toBe(false)
  expect(layer.includes("overlay.o")).toBe(false)
})

test("a name that would delete another file wherever the layer is taken is refused", async () => {
  await using lab = await openLab("overlay")
  await lab.step(1, undefined, (root) => writeFileSync(join(root, "etc"), ""))
  await expect(lab.step(2, 1, (root) => writeFileSync(join(root, ".wh.etc"), ""))).rejects.toThrow("names with .wh.")
})

test("a sparse file larger than any layer may be is refused before it is read", async () => {
  await using lab = await openLab("overlay")
  await expect(
    lab.step(1, undefined, (root) => void execFileSync("truncate", ["-s", "2T", join(root, "big")])),
  ).rejects.toThrow("have more than")
})

test("since an earlier snapshot, several steps make one layer", async () => {
  await using lab = await openLab("overlay")
  await lab.step(1, undefined, (root) => writeFileSync(join(root, "base"), "base"))
  await lab.step(2, 1, (root) => {
    writeFileSync(join(root, "passing"), "x")
    writeFileSync(join(root, "stays"), "y")
  })
  await lab.step(3, 2, (root) => {
    rmSync(join(root, "passing"))
    rmSync(join(root, "base"))
  })
  const layer = lab.snapshots.diff(chainId(3), { since: chainId(1) })
  expect(namesIn(Buffer.concat(await Array.fromAsync(layer)))).toEqual([".wh.base", "stays"])
  expect(layer.contentBytes).toBe(1)
  const whole = await Array.fromAsync(lab.snapshots.diff(chainId(2), { since: "nothing" }))
  expect(namesIn(Buffer.concat(whole))).toEqual(["base", "passing", "stays"])
})

test("a renamed directory of the lower layer is whole under its new name", async () => {
  await using lab = await openLab("overlay")
  await lab.step(1, undefined, (root) => {
    mkdirSync(join(root, "from"))
    writeFileSync(join(root, "from/f"), "f")
  })
  const layer = await lab.step(2, 1, (root) => execFileSync("mv", [join(root, "from"), join(root, "to")]))
  expect(namesIn(layer)).toEqual([".wh.from", "to/", "to/f"])
})

interface Lab extends AsyncDisposable {
  root: string
  snapshots: Snapshotter
  /** Makes and commits a snapshot; gives its layer. */
  step(n: number, parent: number | undefined, work: (root: string) => void): Promise<Buffer>
  diff(name: ChainId): Promise<Buffer>
  /** The layer put on `parent` again; gives a mounted view of it. */
  extract(n: number, parent: number, layer: Buffer): Promise<string>
}

async function openLab(driver: "overlay" | "native"): Promise<Lab> {
  const root = mkdtempSync("/tmp/skiff-diff-")
  const db = new Database(join(root, "skiff.db"))
  db.migrate([snapshotSchema])
  const snapshots = await openSnapshotter({ root, db, rootless: false, driver })
  const mounted: string[] = []
  const mount = (at: string, what: Parameters<typeof mountAt>[1]): string => {
    const path = join(root, at)
    mkdirSync(path)
    mountAt(path, what)
    mounted.push(path)
    return path
  }
  const diff = async (name: string): Promise<Buffer> => Buffer.concat(await Array.fromAsync(snapshots.diff(name)))
  return {
    root,
    snapshots,
    diff,
    async step(n, parent, work) {
      const at = mount(
        `root-${n}`,
        await snapshots.prepare(`step-${n}`, parent === undefined ? undefined : chainId(parent)),
      )
      work(at)
      const active = await diff(`step-${n}`)
      unmount(at)
      await snapshots.commit(chainId(n), `step-${n}`)
      expect(await diff(chainId(n))).toEqual(active)
      return active
    },
    async extract(n, parent, layer) {
      const { path } = await snapshots.stage(`stage-${n}`)
      await applyLayer([layer] as never, path)
      await snapshots.commitStage(chainId(n), `stage-${n}`, chainId(parent))
      return mount(`view-${n}`, await snapshots.view(`view-${n}`, chainId(n)))
    },
    async [Symbol.asyncDispose]() {
      for (const path of mounted) unmount(path)
      db[Symbol.dispose]()
      if (existsSync(root)) removeTreeSync(root)
    },
  }
}

function namesIn(layer: Buffer): string[] {
  return execFileSync("tar", ["tf", "-", "--quoting-style=literal"], { input: layer })
    .toString()
    .split("\n")
    .filter((name) => name !== "")
}
