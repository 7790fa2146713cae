import { afterAll, expect, test } from "bun:test"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Database } from "../base/database.ts"
import { mountAt, unmount } from "../sys/fs/mount.ts"
import { removeTreeSync } from "../sys/fs/remove-tree.ts"
import { openSnapshotter } from "./open.ts"
import { findFuseOverlayfs, probeDriver } from "./probe.ts"
import { snapshotSchema } from "./schema.ts"
import { chainId, snapshotterSuite } from "./snapshot.suite.ts"

const probed = mkdtempSync("/tmp/skiff-probe-")
const best = await probeDriver(probed, false)
afterAll(() => removeTreeSync(probed))
const notRoot = process.getuid?.() !== 0 && "needs root"
const noFuse = notRoot || (findFuseOverlayfs() === undefined && "no fuse-overlayfs or /dev/fuse")

snapshotterSuite("overlay", (root, db) => openSnapshotter({ root, db, rootless: false, driver: "overlay" }), {
  skip: notRoot || (best !== "overlay" && `this host mounts ${best} only`),
})
snapshotterSuite(
  "fuse-overlayfs",
  (root, db) => openSnapshotter({ root, db, rootless: false, driver: "fuse-overlayfs" }),
  {
    skip: noFuse,
  },
)
snapshotterSuite("native", (root, db) => openSnapshotter({ root, db, rootless: false, driver: "native" }), {
  skip: notRoot,
})

function openStore(): { root: string; db: Database } & Disposable {
  const root = mkdtempSync("/tmp/skiff-store-")
  const db = new Database(join(root, "skiff.db"))
  db.migrate([snapshotSchema])
  return { root, db, [Symbol.dispose]: () => void [db[Symbol.dispose](), removeTreeSync(root)] }
}

test("a probe leaves nothing behind", () => expect(readdirSync(probed)).toEqual([]))

test.skipIf(best !== "overlay")("300 layers are mounted at once: their names fit the 4,095 bytes", async () => {
  using store = openStore()
  const snapshots = await openSnapshotter({ ...store, rootless: false })
  for (let n = 1; n <= 300; n++) {
    const { path } = await snapshots.stage(`s${n}`)
    writeFileSync(join(path, `f${n}`), "")
    await snapshots.commitStage(chainId(n), `s${n}`, n > 1 ? chainId(n - 1) : undefined)
  }
  const mount = await snapshots.prepare("c", chainId(300), { volatile: true })
  const target = join(store.root, "target")
  mkdirSync(target)
  mountAt(target, mount)
  try {
    expect(readdirSync(target).length).toBe(300)
    expect(mount.data.join(",").length).toBeLessThan(4095)
    expect(mount.data).toContain("volatile")
  } finally {
    unmount(target)
  }
})

test("rootless mounts keep overlay's attributes in the user space", async () => {
  using store = openStore()
  const snapshots = await openSnapshotter({ ...store, rootless: true, driver: "overlay" })
  await snapshots.stage("s")
  await snapshots.commitStage(chainId(1), "s")
  expect((await snapshots.prepare("c", chainId(1))).data).toContain("userxattr")
})

test("the choice of driver is kept in the records; another form is refused while there are layers", async () => {
  using store = openStore()
  const first = await openSnapshotter({ ...store, rootless: false, driver: "native" })
  expect((await openSnapshotter({ ...store, rootless: false })).driver).toBe("native")
  await first.stage("s")
  await first.commitStage(chainId(1), "s")
  await expect(openSnapshotter({ ...store, rootless: false, driver: "overlay" })).rejects.toMatchObject({
    code: "Unsupported",
  })
  await first.remove(chainId(1))
  expect((await openSnapshotter({ ...store, rootless: false, driver: "overlay" })).driver).toBe("overlay")
})

test("a stage of a killed process is taken over, one of a living process is Unavailable", async () => {
  using store = openStore()
  const stageAndWait = `
    const { openSnapshotter } = await import("${import.meta.dir}/open.ts")
    const { Database } = await import("${import.meta.dir}/../base/database.ts")
    const snapshots = await openSnapshotter({ root: "${store.root}", db: new Database("${store.root}/skiff.db"), rootless: false })
    const { path } = await snapshots.stage("layer")
    await Bun.write(path + "/half", "x")
    console.log(path)
    await Bun.sleep(60_000)`
  const child = Bun.spawn([process.execPath, "-e", stageAndWait], { stdout: "pipe" })
  const { value } = await child.stdout.getReader().read()
  const path = Buffer.from(value ?? [])
    .toString()
    .trim()
  const snapshots = await openSnapshotter({ ...store, rootless: false })
  await expect(snapshots.stage("layer")).rejects.toMatchObject({ code: "Unavailable" })
  expect(snapshots.list()).toMatchObject([{ kind: "stage", ownerAlive: true }])
  child.kill("SIGKILL")
  await child.exited
  expect(snapshots.list()).toMatchObject([{ kind: "stage", ownerAlive: false }])
  const { path: fresh } = await snapshots.stage("layer")
  expect([existsSync(path), readdirSync(fresh)]).toEqual([false, []])
})
