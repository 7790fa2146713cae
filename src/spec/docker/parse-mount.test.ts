import { describe, expect, test } from "bun:test"
import { isSkiffError } from "../../base/errors.ts"
import type { BindRequest } from "./mount-request.ts"
import { formatMountWords } from "./mount-words.ts"
import { parseMount } from "./parse-mount.ts"
import { parseTmpfs } from "./parse-tmpfs.ts"
import { parseVolume } from "./parse-volume.ts"

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

test("words of podman and docker are read, and written again as they were", () => {
  const words = "rro,rslave,noexec,nosuid,U"
  const request = parseVolume(`/h:/c:${words}`, "/") as BindRequest
  expect(request).toEqual({
    ...bind,
    type: "bind",
    source: "/h",
    target: "/c",
    readOnly: true,
    recursion: "readonly",
    propagation: "rslave",
    options: ["noexec", "nosuid"],
    chown: true,
  })
  expect(formatMountWords(request)).toBe(words)
  expect(parseVolume("/a\\:b:/c:O,upperdir=/u,workdir=/w", "/")).toMatchObject({
    source: "/a:b",
    overlay: { upper: "/u", work: "/w" },
    createSource: false,
  })
  expect(parseVolume("v:/c:idmap=uids=0-1-10#2-11-10;gids=0-1-10", "/")).toMatchObject({
    idMap: "uids=0-1-10#2-11-10;gids=0-1-10",
  })
})

test("--mount of images, globs, terminals and volumes that are made", () => {
  expect(parseMount("type=image,src=i,dst=/c,rw=true,subpath=a//b", "/")).toEqual({
    type: "image",
    source: "i",
    target: "/c",
    readOnly: false,
    subpath: "a/b",
  })
  expect(parseMount("type=glob,src=/a*,ro", "/")).toEqual({ type: "glob", source: "/a*", target: "", readOnly: true })
  expect(parseMount("type=devpts,dst=/p,uid=1,max=9", "/")).toMatchObject({ options: ["uid=1", "max=9"] })
  expect(parseMount("uid=7,dst=/t,type=tmpfs,notmpcopyup", "/")).toMatchObject({ options: ["notmpcopyup", "uid=7"] })
  expect(parseMount("src=v,dst=/c,volume-driver=d,volume-opt=o=a,volume-opt=type=t,volume-label=x=y", "/")).toEqual({
    ...volume,
    type: "volume",
    source: "v",
    target: "/c",
    driver: "d",
    driverOptions: { o: "a", type: "t" },
    labels: { x: "y" },
  })
})

test("whatever is given, a mount is read or refused as a user's mistake", () => {
  const WORDS =
    "type=bind,type=volume,type=tmpfs,type=image,type=glob,type=devpts,src=/a,src=v,dst=/c,dst=,ro,rw,U,O,z".split(",")
  WORDS.push(
    "idmap",
    "subpath=../x",
    "volume-opt=o",
    "tmpfs-size=9e9",
    "uid=-1",
    "bind-recursive=readonly",
    '"',
    ":",
    "\\:",
    "\0",
    "=",
  )
  // the same words on each run: a linear congruential generator
  let state = 1
  const next = (below: number) => (state = (state * 48_271) % 2_147_483_647) % below
  for (let n = 0; n < 3_000; n++) {
    const words = Array.from({ length: 1 + next(6) }, () => WORDS[next(WORDS.length)] ?? "")
    for (const read of [
      () => parseMount(words.join(","), "/work"),
      () => parseVolume(words.join(":"), "/work"),
      () => parseVolume(`/a:/b:${words.join(",")}`, "/work"),
      () => parseTmpfs(`/t:${words.join(",")}`),
    ])
      try {
        expect(read()).toHaveProperty("target")
      } catch (error) {
        if (!isSkiffError(error, "InvalidArgument") && !isSkiffError(error, "Unsupported")) throw error
      }
  }
})
