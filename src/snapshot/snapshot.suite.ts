/** What every snapshotter must do, on a real store with real mounts. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import { Database } from "../base/database.ts"
import type { ChainId } from "../spec/digest.ts"
import { mountAt, unmount, type Mount } from "../sys/fs/mount.ts"
import { removeTreeSync } from "../sys/fs/remove-tree.ts"
import { snapshotSchema } from "./schema.ts"
import type { Snapshotter } from "./snapshot.ts"

export type OpenSnapshotter = (root: string, db: Database) => Promise<Snapshotter>

/** A chain id of a test: any 64 digits. */
export function chainId(n: number): ChainId {
  return `sha256:${String(n).padStart(64, "0")}` as ChainId
}

/** `skip`: the reason why this host cannot run it, or false. */
export function snapshotterSuite(driver: string, open: OpenSnapshotter, options: { skip: string | false }): void {
  if (options.skip !== false) {
    test.skip(`${driver}: ${options.skip}`, () => {})
    return
  }
  describe(driver, () => {
    let root: string
    let db: Database
    let snapshots: Snapshotter
    let target: string
    const mounted: string[] = []

    beforeEach(async () => {
      root = mkdtempSync("/tmp/skiff-snapshot-")
      db = new Database(join(root, "skiff.db"))
      db.migrate([snapshotSchema])
      snapshots = await open(root, db)
      target = join(root, "target")
      mkdirSync(target)
    })
    afterEach(() => {
      for (const path of mounted.splice(0)) unmount(path)
      db[Symbol.dispose]()
      removeTreeSync(root)
    })

    /** Commits a layer that has these files; a name with `.wh.` hides as in a layer. */
    async function layer(n: number, files: Record<string, string>, parent?: number): Promise<ChainId> {
      const { path } = await snapshots.stage(`stage-${n}`)
      for (const [file, content] of Object.entries(files)) writeFileSync(join(path, file), content)
      await snapshots.commitStage(chainId(n), `stage-${n}`, parent === undefined ? undefined : chainId(parent))
      return chainId(n)
    }
    function mount(it: Mount): string {
      mountAt(target, it)
      mounted.push(target)
      return target
    }
    function unmountAll(): void {
      for (const path of mounted.splice(0)) unmount(path)
    }

    test("gives the archive that a layer came in again, also once it stands on others", async () => {
      const { archiveOf, stream } = await import("../archive/testdata/archives.ts")
      const { applyLayer } = await import("../archive/archive.ts")
      const archive = archiveOf([
        { name: "d/", type: "directory" },
        { name: "d/f", content: "x".repeat(5_000) },
        { name: ".wh.a" },
      ])
      const given = async (name: ChainId): Promise<Buffer | undefined> => {
        const bytes = snapshots.original(name)
        if (bytes === undefined) return undefined
        const chunks: Buffer[] = []
        for await (const chunk of bytes) chunks.push(Buffer.from(chunk))
        return Buffer.concat(chunks)
      }
      const stage = async (key: string) => {
        const { path, tarSplit } = await snapshots.stage(key)
        expect(await applyLayer(stream(archive), path, { tarSplit })).toMatchObject({ isSplit: true })
      }
      await layer(1, { a: "1" })
      expect(snapshots.original(chainId(1))).toBeUndefined()
      await stage("s")
      await snapshots.commitStage(chainId(2), "s", chainId(1))
      expect((await given(chainId(2)))?.equals(archive)).toBe(true)
      // one that was extracted without is given the means by the next that comes
      await layer(3, { a: "1" })
      await stage("t")
      await snapshots.commitStage(chainId(3), "t")
      expect(snapshots.original(chainId(3))).toBeDefined()
      expect(() => snapshots.original(chainId(9))).toThrow(expect.objectContaining({ code: "NotFound" }))
    })

    test("an active snapshot shows its parents' files and keeps what is written to itself", async () => {
      await layer(1, { a: "1", both: "1" })
      await layer(2, { b: "2", both: "2" }, 1)
      mount(await snapshots.prepare("c", chainId(2)))
      expect(readdirSync(target).toSorted()).toEqual(["a", "b", "both"])
      expect(readFileSync(join(target, "both"), "utf8")).toBe("2")
      writeFileSync(join(target, "new"), "3")
      expect(existsSync(join(snapshots.diffPath("c"), "new"))).toBe(true)
      expect(existsSync(join(snapshots.diffPath(chainId(2)), "new"))).toBe(false)
    })

    test("an active snapshot without parents is empty and writable", async () => {
      mount(await snapshots.prepare("c"))
      writeFileSync(join(target, "new"), "x")
      expect(readdirSync(target)).toEqual(["new"])
    })

    test("a view is read-only, of none, one or more layers", async () => {
      await layer(1, { a: "1" })
      await layer(2, { b: "2" }, 1)
      const wanted: [ChainId | undefined, string[]][] = [
        [undefined, []],
        [chainId(1), ["a"]],
        [chainId(2), ["a", "b"]],
      ]
      for (const [parent, names] of wanted) {
        mount(await snapshots.view(`view of ${parent}`, parent))
        expect(readdirSync(target).toSorted()).toEqual(names)
        expect(() => writeFileSync(join(target, "new"), "x")).toThrow("EROFS")
        unmountAll()
      }
    })

    test("what was written becomes a layer by commit()", async () => {
      await layer(1, { a: "1" })
      mount(await snapshots.prepare("c", chainId(1)))
      writeFileSync(join(target, "new"), "2")
      unmountAll()
      await snapshots.commit(chainId(2), "c")
      await snapshots.commit(chainId(2), "c") // safe to repeat
      expect(snapshots.info(chainId(2))).toMatchObject({ kind: "committed", parent: chainId(1) })
      mount(await snapshots.view("v", chainId(2)))
      expect(readdirSync(target).toSorted()).toEqual(["a", "new"])
    })

    test("the same mount can be had again, after an unmount", async () => {
      await layer(1, { a: "1" })
      mount(await snapshots.prepare("c", chainId(1)))
      writeFileSync(join(target, "new"), "2")
      unmountAll()
      mount(snapshots.mount("c"))
      expect(readdirSync(target).toSorted()).toEqual(["a", "new"])
    })

    test("a volatile one can be mounted again in the same boot, and is refused after another", async () => {
      await layer(1, { a: "1" })
      mount(await snapshots.prepare("c", chainId(1), { volatile: true }))
      writeFileSync(join(target, "new"), "2")
      unmountAll()
      mount(snapshots.mount("c"))
      expect(readFileSync(join(target, "new"), "utf8")).toBe("2")
      db.run("UPDATE snapshots SET owner_boot_id = 'another'")
      expect(() => snapshots.mount("c")).toThrow("did not survive the reboot")
      await snapshots.remove("c")
    })

    test("the root directory has its layer's mode and owner", async () => {
      const { path } = await snapshots.stage("s")
      chmodSync(path, 0o1775)
      await snapshots.commitStage(chainId(1), "s")
      mount(await snapshots.prepare("c", chainId(1)))
      expect(statSync(target).mode & 0o7777).toBe(0o1775)
    })

    test("a stage of the same key begins empty", async () => {
      const first = await snapshots.stage("s")
      writeFileSync(join(first.path, "left"), "x")
      expect(readdirSync((await snapshots.stage("s")).path)).toEqual([])
    })

    test("the second of two equal layers is dropped, and its directory with it", async () => {
      const [one, two] = [await snapshots.stage("one"), await snapshots.stage("two")]
      writeFileSync(join(one.path, "a"), "1")
      await snapshots.commitStage(chainId(1), "one")
      await snapshots.commitStage(chainId(1), "two")
      await snapshots.commitStage(chainId(1), "two") // safe to repeat
      expect(existsSync(two.path)).toBe(false)
      expect(snapshots.list().map((info) => info.name)).toEqual([chainId(1)])
    })

    test("remove() refuses what others stand on, and is safe to repeat", async () => {
      await layer(1, { a: "1" })
      await layer(2, { b: "2" }, 1)
      await snapshots.prepare("c", chainId(2))
      await expect(snapshots.remove(chainId(1))).rejects.toMatchObject({ code: "FailedPrecondition" })
      await expect(snapshots.remove(chainId(2))).rejects.toMatchObject({ code: "FailedPrecondition" })
      for (const name of ["c", chainId(2), chainId(1), chainId(1)]) await snapshots.remove(name)
      expect(snapshots.list()).toEqual([])
      expect(readdirSync(join(root, "layers"))).toEqual([])
    })

    test("a name in use is AlreadyExists, an unknown one NotFound", async () => {
      await layer(1, { a: "1" })
      await snapshots.prepare("c", chainId(1))
      await expect(snapshots.prepare("c", chainId(1))).rejects.toMatchObject({ code: "AlreadyExists" })
      await expect(snapshots.view("c")).rejects.toMatchObject({ code: "AlreadyExists" })
      await expect(snapshots.prepare("d", chainId(9))).rejects.toMatchObject({ code: "NotFound" })
      expect(() => snapshots.mount("nobody")).toThrow("no such snapshot")
      expect(() => snapshots.info("nobody")).toThrow("no such snapshot")
    })

    test("sweep() removes what no record knows, and nothing else", async () => {
      await layer(1, { a: "1" })
      await snapshots.prepare("c", chainId(1))
      await snapshots.stage("s")
      mkdirSync(join(root, "layers/left/diff"), { recursive: true })
      expect(await snapshots.sweep()).toBe(1)
      expect(readdirSync(join(root, "layers")).length).toBe(3)
    })

    test("usage() counts allocated bytes, a hard link once", async () => {
      await snapshots.prepare("c")
      const diff = snapshots.diffPath("c")
      const before = await snapshots.usage("c")
      writeFileSync(join(diff, "big"), Buffer.alloc(1 << 20, 1))
      Bun.spawnSync(["ln", join(diff, "big"), join(diff, "again")])
      Bun.spawnSync(["truncate", "-s", "1G", join(diff, "hole")])
      const { bytes, inodes } = await snapshots.usage("c")
      expect(bytes - before.bytes).toBeGreaterThanOrEqual(1 << 20)
      expect(bytes - before.bytes).toBeLessThan(1.1 * (1 << 20))
      expect(inodes - before.inodes).toBe(2)
    })

    test("whiteouts and opaque directories of a staged layer hide what is below", async () => {
      const { path: lower } = await snapshots.stage("lower")
      for (const name of ["gone", "stays"]) writeFileSync(join(lower, name), "1")
      for (const name of ["opaque", "merged"]) {
        mkdirSync(join(lower, name))
        writeFileSync(join(lower, name, "below"), "1")
      }
      await snapshots.commitStage(chainId(1), "lower")
      const { path: upper } = await snapshots.stage("upper")
      Bun.spawnSync(["mknod", join(upper, "gone"), "c", "0", "0"])
      for (const name of ["opaque", "merged"]) {
        mkdirSync(join(upper, name))
        writeFileSync(join(upper, name, "above"), "2")
      }
      const { setAttribute } = await import("../sys/fs/xattr.ts")
      setAttribute(join(upper, "opaque"), "trusted.overlay.opaque", Buffer.from("y"))
      await snapshots.commitStage(chainId(2), "upper", chainId(1))
      mount(await snapshots.view("v", chainId(2)))
      expect(readdirSync(target).toSorted()).toEqual(["merged", "opaque", "stays"])
      expect(readdirSync(join(target, "opaque"))).toEqual(["above"])
      expect(readdirSync(join(target, "merged")).toSorted()).toEqual(["above", "below"])
    })

    test("what a snapshot itself has made or changed is its own, and nothing of those below", async () => {
      await layer(1, { a: "1", b: "1", c: "1" })
      mount(await snapshots.prepare("k", chainId(1)))
      writeFileSync(join(target, "b"), "other")
      writeFileSync(join(target, "d"), "new")
      unmount(target)
      await snapshots.commit(chainId(2), "k")
      using own = snapshots.ownFiles(chainId(2))
      using below = snapshots.ownFiles(chainId(1))
      expect(["a", "b", "c", "d", "e"].map((name) => own.has(name))).toEqual([false, true, false, true, false])
      expect(["a", "b", "d"].map((name) => below.has(name))).toEqual([true, true, false])
    })

    test("diff() sees a change of equal size within one tick of the clock", async () => {
      const { path } = await snapshots.stage("s")
      for (const name of ["changed", "same"]) writeFileSync(join(path, name), "one")
      // as if it were the same tick, however slow this machine is: not before the next one was made
      Bun.spawnSync(["touch", "-d", "+1 hour", join(path, "changed"), join(path, "same")])
      await snapshots.commitStage(chainId(1), "s")
      mount(await snapshots.prepare("k", chainId(1)))
      for (const [name, text] of [
        ["changed", "two"],
        ["same", "one"],
      ] as const) {
        writeFileSync(join(target, name), text)
        Bun.spawnSync(["touch", "-r", join(snapshots.diffPath(chainId(1)), name), join(target, name)])
      }
      unmount(target)
      const tar = Buffer.concat(await Array.fromAsync(snapshots.diff("k")))
      expect(["changed", "same"].filter((name) => tar.indexOf(name) >= 0)).toEqual(["changed"])
    })

    test.skipIf(driver === "fuse-overlayfs")("diff() refuses a file that would delete another", async () => {
      await layer(1, { a: "1" })
      mount(await snapshots.prepare("k", chainId(1)))
      mkdirSync(join(target, "d"))
      writeFileSync(join(target, "d/.wh.x"), "")
      unmount(target)
      await expect(Array.fromAsync(snapshots.diff("k"))).rejects.toThrow('"d/.wh.x" cannot be put into a layer')
    })

    test("a layer whose root is opaque shows nothing of those below", async () => {
      await layer(1, { a: "1" })
      const { path } = await snapshots.stage("s")
      writeFileSync(join(path, "b"), "2")
      const { setAttribute } = await import("../sys/fs/xattr.ts")
      setAttribute(path, "trusted.overlay.opaque", Buffer.from("y"))
      await snapshots.commitStage(chainId(2), "s", chainId(1))
      await layer(3, { c: "3" }, 2)
      mount(await snapshots.prepare("c", chainId(3)))
      expect(readdirSync(target).toSorted()).toEqual(["b", "c"])
    })
  })
}
