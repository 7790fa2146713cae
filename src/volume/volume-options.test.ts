import { expect, test } from "bun:test"
import { hostToResolve, mountCall } from "./drivers/mount-call.ts"
import { parseVolumeOptions, type MountedVolume, type VolumePlace } from "./volume-options.ts"

const own = { kind: "own" } as const
const host = { kind: "host" } as const

test.each<[Record<string, string>, VolumePlace]>([
  [{}, own],
  [{ o: "uid=1000,gid=5" }, { ...own, uid: 1000, gid: 5 }],
  [{ nocopy: "" }, { ...own, copyUp: false }],
  [{ o: "copy" }, own],
  [{ o: "size=1g,inodes=50" }, { ...own, quota: { sizeBytes: 2 ** 30, inodes: 50 } }],
  [{ size: "10m" }, { ...own, quota: { sizeBytes: 10 * 2 ** 20 } }],
  [
    { type: "none", o: "bind", device: "/srv/data" },
    { ...host, device: "/srv/data" },
  ],
  [
    { o: "rbind,rw", device: "/srv" },
    { ...host, device: "/srv" },
  ],
  [
    { o: "bind,ro", device: "/srv" },
    { kind: "mounted", type: "none", device: "/srv", words: ["bind", "ro"] },
  ],
  [
    { type: "tmpfs", o: "size=1m,uid=5" },
    { kind: "mounted", type: "tmpfs", device: "tmpfs", words: ["size=1m", "uid=5"] },
  ],
])("options %p make %p of a volume", (options, place) => {
  expect(parseVolumeOptions(options)).toEqual(place)
})

test.each([
  [{ type: "nfs", o: "addr=1.2.3.4" }, "missing device"],
  [{ device: "/dev/sdb1" }, "a device needs a type"],
  [{ o: "colour=red" }, '"colour=red"'],
  [{ o: "bind", device: "relative" }, "absolute path"],
  [{ o: "bind" }, "absolute path"],
  [{ o: "uid=root" }, '"uid=root"'],
  [{ colour: "red" }, '"colour"'],
])("options %p are refused", (options, message) => {
  const refusal = { code: "InvalidArgument", message: expect.stringContaining(message) }
  expect(() => parseVolumeOptions(options as never)).toThrow(expect.objectContaining(refusal))
})

const of = (options: Record<string, string>) => parseVolumeOptions(options) as MountedVolume

test("mount(2) is called as docker's local driver calls it", () => {
  const nfs = of({ type: "nfs", device: ":/export", o: "addr=files.example.org,ro,nolock,vers=4,noatime,rw" })
  expect(hostToResolve(nfs)).toBe("files.example.org")
  expect(mountCall(nfs, "192.0.2.7")).toEqual({
    type: "nfs",
    source: ":/export",
    data: ["addr=192.0.2.7", "nolock", "vers=4"],
    flags: 1024, // MS_NOATIME; `rw` took MS_RDONLY away
  })
  const byAddress = of({ type: "nfs4", device: ":/x", o: "addr=192.0.2.7" })
  expect(hostToResolve(byAddress)).toBeUndefined()
  expect(mountCall(byAddress)).toEqual({ type: "nfs4", source: ":/x", data: ["addr=192.0.2.7"], flags: 0 })
  expect(mountCall(of({ o: "rbind,ro,noexec", device: "/srv" }))).toMatchObject({
    data: [],
    flags: 4096 | 16384 | 1 | 8,
  })
  expect(mountCall(of({ type: "overlay", o: "lowerdir=/a:/b,upperdir=/u,workdir=/w" }))).toMatchObject({
    source: "overlay",
    data: ["lowerdir=/a:/b", "upperdir=/u", "workdir=/w"],
  })
})
