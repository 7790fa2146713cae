import { describe, expect, test } from "bun:test"
import { parseNamespaceMode } from "../../spec/docker/namespace-mode.ts"
import { NAMESPACE_FLAGS, namespaceOptions } from "./namespaces.ts"
import { USER_NAMESPACE_FLAGS, userNamespaceOption } from "./user-namespace.ts"

const time = (text: string) => NAMESPACE_FLAGS.timeOffset.read(text, undefined)
const userns = (text: string) => USER_NAMESPACE_FLAGS.userns.read(text, undefined)
const NOTHING = { uidmap: [], gidmap: [], subuidname: undefined, subgidname: undefined, userns: undefined }
const [uid] = USER_NAMESPACE_FLAGS.uidmap.read("0:100000:10", [])

test("a mode is a word, a container or an absolute path", () => {
  expect(parseNamespaceMode("host", "PID")).toEqual({ kind: "host" })
  expect(parseNamespaceMode("container:web", "PID")).toEqual({ kind: "container", container: "web" })
  expect(parseNamespaceMode("ns:/proc/1/ns/pid", "PID")).toEqual({ kind: "path", path: "/proc/1/ns/pid" })
  expect(parseNamespaceMode("", "PID")).toBeUndefined()
  for (const text of ["container:", "ns:", "ns:relative", "hosts", "Host", "shareable"])
    expect(() => parseNamespaceMode(text, "PID")).toThrow(`invalid PID mode "${text}"`)
})

test("nothing asked for is no option", () => {
  const flags = Object.fromEntries(Object.keys(NAMESPACE_FLAGS).map((name) => [name, undefined]))
  expect(namespaceOptions(flags as never)).toBeUndefined()
  expect(userNamespaceOption(NOTHING)).toBeUndefined()
})

test("time offsets are seconds, or durations", () => {
  expect(time("monotonic=86400,boottime=-90m")).toEqual({ monotonicSeconds: 86_400, boottimeSeconds: -5400 })
  expect(time("boottime=+2400h")).toEqual({ boottimeSeconds: 8_640_000 })
  for (const text of ["", "realtime=5", "monotonic", "monotonic=", "monotonic=x", "monotonic=0.5s", "monotonic=1,,"])
    expect(() => time(text)).toThrow()
})

describe("a user namespace", () => {
  test("of its own is automatic, or keeps the caller", () => {
    expect(userns("auto")).toEqual({ kind: "auto", uids: [], gids: [] })
    expect(userns("auto:size=5000,uidmapping=7:@1000:1")).toEqual({
      kind: "auto",
      size: 5000,
      uids: [{ inside: 7, outside: 1000, count: 1, ofHost: true }],
      gids: [],
    })
    expect(userns("keep-id:uid=5,gid=6")).toEqual({ kind: "keep-id", uid: 5, gid: 6 })
    for (const text of ["auto:size=0", "auto:size=-1", "keep-id:uid=x", "keep-id:size=1", "nomap:x", "container:"])
      expect(() => userns(text)).toThrow()
  })

  test("is mapped by one flag or by two, and not in two ways", () => {
    expect(userNamespaceOption({ ...NOTHING, uidmap: uid === undefined ? [] : [uid] })).toEqual({
      kind: "mapped",
      uids: [{ inside: 0, outside: 100_000, count: 10 }],
      gids: [{ inside: 0, outside: 100_000, count: 10 }],
    })
    expect(userNamespaceOption({ ...NOTHING, subuidname: "a" })).toEqual({
      kind: "subordinate",
      uidName: "a",
      gidName: "a",
    })
    const both = { ...NOTHING, uidmap: uid === undefined ? [] : [uid], subuidname: "a" }
    expect(() => userNamespaceOption(both)).toThrow("cannot both be set")
    expect(() => userNamespaceOption({ ...NOTHING, userns: { kind: "private" } })).toThrow("needs a map")
  })
})
