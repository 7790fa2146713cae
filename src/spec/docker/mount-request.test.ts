import { describe, expect, test } from "bun:test"
import { parseMount, parseTmpfs, parseVolume } from "./mount-request.ts"

const bind = { type: "bind", readOnly: false, createSource: true }
const volume = { type: "volume", readOnly: false, copyUp: true }

describe("parseVolume()", () => {
  const good: [string, object][] = [
    ["/data", { ...volume, target: "/data" }],
    ["cache:/data", { ...volume, source: "cache", target: "/data" }],
    ["cache:/data:ro,nocopy", { ...volume, source: "cache", target: "/data", readOnly: true, copyUp: false }],
    ["/h:/c", { ...bind, source: "/h", target: "/c" }],
    ["/h/../x//y:/c/:ro", { ...bind, source: "/x/y", target: "/c", readOnly: true }],
    ["./x:/c:rw,z", { ...bind, source: "/work/x", target: "/c" }],
    ["../x:/c", { ...bind, source: "/x", target: "/c" }],
    [".:/c", { ...bind, source: "/work", target: "/c" }],
    ["/h:/c:rshared", { ...bind, source: "/h", target: "/c", propagation: "rshared" }],
  ]
  test.each(good)("%s", (text, request) => expect(parseVolume(text, "/work")).toEqual(request as never))

  const bad: [string, string][] = [
    ["", "empty section between colons"],
    ["/a::ro", "empty section between colons"],
    ["/a:/b:ro:x", "invalid volume specification"],
    ["/a:b", "mount path must be absolute"],
    ["data", "mount path must be absolute"],
    ["/a:/", "destination can't be '/'"],
    ["/a:/b/..", "destination can't be '/'"],
    ["a/b:/c", "includes invalid characters for a local volume name"],
    ["-x:/c", "includes invalid characters for a local volume name"],
    ["/a:/b:roo", "invalid mode: roo"],
    ["/a:/b:ro,rw", "invalid mode: ro,rw"],
    ["/a:/b:shared,slave", "invalid mode: shared,slave"],
    ["name:/b:shared", "propagation is for bind mounts"],
  ]
  test.each(bad)("refuses %p", (text, words) => expect(() => parseVolume(text, "/work")).toThrow(words))
})

describe("parseMount()", () => {
  const good: [string, object][] = [
    ["type=bind,source=/h,target=/c", { ...bind, source: "/h", target: "/c", createSource: false }],
    [
      "type=bind,src=./h,dst=/c,readonly,bind-propagation=rslave",
      { ...bind, source: "/work/h", target: "/c", readOnly: true, propagation: "rslave", createSource: false },
    ],
    ["source=cache,destination=/c", { ...volume, source: "cache", target: "/c" }],
    ["target=/c,volume-nocopy", { ...volume, target: "/c", copyUp: false }],
    ["target=/c,ro=false", { ...volume, target: "/c" }],
    [
      "type=tmpfs,target=/t,tmpfs-size=64m,tmpfs-mode=1770",
      { type: "tmpfs", target: "/t", readOnly: false, sizeBytes: 64 * 1024 ** 2, mode: 0o1770 },
    ],
    ['type=bind,"source=/a,b",target=/c', { ...bind, source: "/a,b", target: "/c", createSource: false }],
  ]
  test.each(good)("%s", (text, request) => expect(parseMount(text, "/work")).toEqual(request as never))

  const bad: [string, string][] = [
    ["", "must be a key=value pair"],
    ["type=bind,source=/h", "target is required"],
    ["type=bind,target=/c", "source is required"],
    ["type=nfs,target=/c", 'mount type unknown: "nfs"'],
    ["type=bind,source=/h,target=c", "mount path must be absolute"],
    ["type=bind,sauce=/h,target=/c", "unexpected key 'sauce' in 'sauce=/h'"],
    ["type=tmpfs,source=/h,target=/c", "source is not for mount type 'tmpfs'"],
    ["type=bind,source=/h,target=/c,tmpfs-size=1m", "cannot mix 'tmpfs-size' with mount type 'bind'"],
    ["type=tmpfs,target=/c,tmpfs-mode=999", "invalid value for tmpfs-mode"],
    ["type=bind,source=/h,target=/c,readonly=maybe", "invalid value for readonly: maybe"],
    ['type=bind,"source=/h,target=/c', "invalid mount"],
  ]
  test.each(bad)("refuses %p", (text, words) => expect(() => parseMount(text, "/work")).toThrow(words))
})

test("parseTmpfs() takes size, mode and mount options, and refuses others", () => {
  expect(parseTmpfs("/run")).toEqual({ type: "tmpfs", target: "/run", readOnly: false })
  expect(parseTmpfs("/run:rw,noexec,size=1m,mode=1777")).toEqual({
    type: "tmpfs",
    target: "/run",
    readOnly: false,
    sizeBytes: 1024 ** 2,
    mode: 0o1777,
    options: ["noexec"],
  })
  expect(() => parseTmpfs("/run:lowerdir=/etc")).toThrow("invalid tmpfs option: lowerdir=/etc")
  expect(() => parseTmpfs("run")).toThrow("mount path must be absolute")
})
