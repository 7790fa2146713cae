/** What every implementation of `Volumes` must do; a run of it is handed a way to open the same store more than once. */
import {
  lstatSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { expect, test } from "bun:test"
import type { Volumes } from "./volume.ts"

export interface VolumeStore extends Disposable {
  /** Opens the store once more, as another process would. */
  open(): Volumes
  /** Containers that refer to a volume from now on. */
  use(volume: string, ...containers: { id: string; name: string }[]): void
}

export function volumeSuite(name: string, tempStore: () => VolumeStore): void {
  test(`${name}: create() gives a volume with an empty directory, the same one when it is repeated`, async () => {
    using store = tempStore()
    const [volumes, other] = [store.open(), store.open()]
    const made = await volumes.create({ name: "data", labels: { a: "b" } })
    expect(made).toMatchObject({ name: "data", driver: "local", labels: { a: "b" }, anonymous: false })
    expect(lstatSync(made.mountpoint).isDirectory()).toBe(true)
    writeFileSync(join(made.mountpoint, "kept"), "")
    expect(await other.create({ name: "data", labels: { other: "" } })).toEqual(made)
    expect(existsSync(join(made.mountpoint, "kept"))).toBe(true)
    expect(volumes.list()).toEqual([made])
  })

  test(`${name}: a volume without a name gets one of chance, and may be anonymous`, async () => {
    using store = tempStore()
    const volumes = store.open()
    const [one, two] = [await volumes.create({ anonymous: true }), await volumes.create({})]
    expect(one.name).toMatch(/^[0-9a-f]{64}$/)
    expect(two.name).not.toBe(one.name)
    expect([one.anonymous, two.anonymous]).toEqual([true, false])
  })

  test(`${name}: a name that is none makes nothing`, async () => {
    using store = tempStore()
    const volumes = store.open()
    for (const bad of ["", ".", "..", "../x", "a/b", "-a", "a b", "a\0b", "x".repeat(256)]) {
      await expect(volumes.create({ name: bad })).rejects.toMatchObject({ code: "InvalidArgument" })
      expect(() => volumes.mountpoint(bad)).toThrow(expect.objectContaining({ code: "InvalidArgument" }))
    }
    expect(volumes.list()).toEqual([])
  })

  test(`${name}: mountpoint() makes nothing, and create() makes again what is missing`, async () => {
    using store = tempStore()
    const volumes = store.open()
    expect(existsSync(volumes.mountpoint("data"))).toBe(false)
    expect(volumes.list()).toEqual([])
    const { mountpoint } = await volumes.create({ name: "data" })
    rmSync(mountpoint, { recursive: true })
    expect(existsSync((await volumes.create({ name: "data" })).mountpoint)).toBe(true)
  })

  test(`${name}: remove() takes record and data; a second one is NotFound, unless it is forced`, async () => {
    using store = tempStore()
    const volumes = store.open()
    const { mountpoint } = await volumes.create({ name: "data" })
    writeFileSync(join(mountpoint, "file"), "x")
    await volumes.remove("data")
    expect(existsSync(mountpoint)).toBe(false)
    expect(() => volumes.get("data")).toThrow(expect.objectContaining({ code: "NotFound" }))
    await expect(volumes.remove("data")).rejects.toMatchObject({ code: "NotFound" })
    await volumes.remove("data", { force: true })
    await volumes.remove("data", { exceptFor: "c1" })
  })

  test(`${name}: a removal that is cancelled leaves the volume, or what the next one removes`, async () => {
    using store = tempStore()
    const volumes = store.open()
    const { mountpoint } = await volumes.create({ name: "data" })
    writeFileSync(join(mountpoint, "file"), "x")
    const cancelled = { code: "Cancelled" }
    await expect(volumes.remove("data", { signal: AbortSignal.abort() })).rejects.toMatchObject(cancelled)
    expect(existsSync(join(mountpoint, "file"))).toBe(true)
    const stop = new AbortController()
    const removed = volumes.remove("data", { signal: stop.signal })
    stop.abort()
    await expect(removed).rejects.toMatchObject(cancelled)
    expect(volumes.list()).toEqual([])
    await volumes.create({ name: "other" })
    await volumes.remove("other")
    expect(readdirSync(dirname(dirname(mountpoint)))).toEqual([])
  })

  test(`${name}: a volume in use stays, forced or not, and the error names the container; the one being removed does not count`, async () => {
    using store = tempStore()
    const volumes = store.open()
    const { mountpoint } = await volumes.create({ name: "data" })
    store.use("data", { id: "c1", name: "web" })
    const refused = {
      code: "FailedPrecondition",
      message: 'volume "data" is in use by container "web"',
      hint: { do: "removeForced", container: "web" },
    }
    await expect(volumes.remove("data")).rejects.toMatchObject(refused)
    await expect(volumes.remove("data", { force: true })).rejects.toMatchObject(refused)
    expect(existsSync(mountpoint)).toBe(true)
    await volumes.remove("data", { exceptFor: "c1" })
    expect(existsSync(mountpoint)).toBe(false)
  })

  test(`${name}: copyUp() fills an empty volume, follows no link, and leaves alone what has content`, async () => {
    using store = tempStore()
    const volumes = store.open()
    using image = tempTree()
    mkdirSync(join(image.path, "srv/sub"), { recursive: true, mode: 0o755 })
    writeFileSync(join(image.path, "srv/sub/file"), "from the image", { mode: 0o640 })
    symlinkSync("/etc/passwd", join(image.path, "srv/link"))
    const volume = await volumes.create({ name: "data" })
    await volumes.copyUp(volume, image.path, "/srv")
    const file = join(volume.mountpoint, "sub/file")
    expect(readFileSync(file, "utf8")).toBe("from the image")
    expect(lstatSync(file).mode & 0o777).toBe(0o640)
    expect(readlinkSync(join(volume.mountpoint, "link"))).toBe("/etc/passwd")
    writeFileSync(file, "changed")
    await volumes.copyUp(volume, image.path, "/srv")
    expect(readFileSync(file, "utf8")).toBe("changed")
  })

  test(`${name}: copyUp() that is cancelled leaves the volume to be filled`, async () => {
    using store = tempStore()
    const volumes = store.open()
    using image = tempTree()
    mkdirSync(join(image.path, "srv"))
    writeFileSync(join(image.path, "srv/file"), "whole")
    const volume = await volumes.create({ name: "data" })
    const stop = new AbortController()
    const filled = volumes.copyUp(volume, image.path, "/srv", { signal: stop.signal })
    stop.abort()
    await expect(filled).rejects.toMatchObject({ code: "Cancelled" })
    expect(existsSync(join(volume.mountpoint, "file"))).toBe(false)
    await volumes.copyUp(volume, image.path, "/srv")
    expect(readFileSync(join(volume.mountpoint, "file"), "utf8")).toBe("whole")
  })

  test(`${name}: copyUp() of a directory that the image lacks leaves the volume empty`, async () => {
    using store = tempStore()
    const volumes = store.open()
    using image = tempTree()
    const volume = await volumes.create({ name: "data" })
    await volumes.copyUp(volume, image.path, "/absent")
    expect(lstatSync(volume.mountpoint).isDirectory()).toBe(true)
  })

  test(`${name}: of two that fill a volume at once, the data is that of one, whole`, async () => {
    using store = tempStore()
    const [volumes, other] = [store.open(), store.open()]
    using image = tempTree()
    mkdirSync(join(image.path, "srv"))
    for (let n = 0; n < 50; n++) writeFileSync(join(image.path, `srv/${n}`), `${n}`)
    const volume = await volumes.create({ name: "data" })
    await Promise.all([volumes.copyUp(volume, image.path, "/srv"), other.copyUp(volume, image.path, "/srv")])
    for (let n = 0; n < 50; n++) expect(readFileSync(join(volume.mountpoint, `${n}`), "utf8")).toBe(`${n}`)
  })
}

function tempTree(): { path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "skiff-volume-image-"))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) }
}
