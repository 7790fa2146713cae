import { afterAll, expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { OciMount } from "../../spec/oci-runtime.ts"
import { resolveMountTargets } from "./mount-targets.ts"

const directory = mkdtempSync(join(tmpdir(), "skiff-targets-"))
afterAll(() => rmSync(directory, { recursive: true }))

const rootfs = join(directory, "root")
const volume = join(directory, "volume")
for (const path of [`${rootfs}/srv/data`, `${rootfs}/proc`, `${volume}/plain`]) mkdirSync(path, { recursive: true })
for (const [path, target] of [
  [`${rootfs}/data`, "srv/data"],
  [`${rootfs}/away`, "../../../../srv/new/./x/.."],
  [`${rootfs}/hidden`, "/proc"],
  [`${rootfs}/shm`, "/dev/shm"],
  [`${rootfs}/srv/data/kernel`, "/proc"],
  [`${volume}/kernel`, "/proc"],
  [`${volume}/back`, "../data"],
] as const)
  symlinkSync(target, path)
writeFileSync(join(rootfs, "file"), "")

const bind = (destination: string, source = volume): OciMount => ({ destination, type: "bind", source })
const tmpfs = (destination: string): OciMount => ({ destination, type: "tmpfs", source: "tmpfs" })
const targets = (...mounts: OciMount[]) => resolveMountTargets(rootfs, mounts).map(({ destination }) => destination)

test("links of the root are followed, through what is not there as well", () => {
  expect(targets(bind("/data"), tmpfs("/data/x/y"), tmpfs("/away"), tmpfs("/shm/a"), tmpfs("/new/../data"))).toEqual([
    "/srv/data",
    "/srv/data/x/y",
    "/srv/new",
    "/dev/shm/a",
    "/srv/data",
  ])
})

test("a path goes on through the mounts before it", () => {
  expect(targets(bind("/v"), tmpfs("/v/back/x"), tmpfs("/v/plain/x"))).toEqual(["/v", "/srv/data/x", "/v/plain/x"])
  // the link of the root lies below the volume, and is not seen
  expect(targets(bind("/srv/data"), tmpfs("/data/other/kernel"))).toEqual(["/srv/data", "/srv/data/other/kernel"])
  expect(targets(tmpfs("/srv/data"), tmpfs("/data/kernel/sys"))).toEqual(["/srv/data", "/srv/data/kernel/sys"])
})

test("what a link leads to the kernel's is refused", () => {
  for (const mounts of [
    [tmpfs("/hidden")],
    [tmpfs("/hidden/sys")],
    [tmpfs("/data/kernel/sys")],
    [bind("/v"), tmpfs("/v/kernel/sys")],
  ])
    expect(() => targets(...mounts)).toThrow(/leads to "\/proc(\/sys)?" by a link/)
})

test("a file in the way is an error that says so, and a mount on a file is none", () => {
  expect(() => targets(tmpfs("/file/x"))).toThrow("a file of the image is in the way")
  expect(() => targets(bind("/f", join(rootfs, "file")), tmpfs("/f/x"))).toThrow("a file of the image is in the way")
  expect(targets(bind("/file", join(rootfs, "file")))).toEqual(["/file"])
})
