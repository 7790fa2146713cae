import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import type { ChainId, Digest } from "../spec/digest.ts"
import { filterImages } from "./filter-images.ts"
import type { ImageFilter } from "./image.ts"
import { ImageRecords } from "./records.ts"
import { removeFromRecords, type ImageUser } from "./remove-image.ts"
import { tempStore, type TempStore } from "./temp-store.ts"

let store: TempStore
let records: ImageRecords
let users: Map<string, ImageUser[]>

beforeEach(() => {
  store = tempStore()
  records = new ImageRecords(store.db, {
    events: { append: () => {} },
    leases: { live: () => ({ blobs: [], snapshots: [] }) },
  })
  users = store.users
})
afterEach(() => store[Symbol.asyncDispose]())

const digest = (start: string) => `sha256:${start.padEnd(64, "0")}` as Digest

function put(
  start: string,
  options: { names?: string[]; digests?: string[]; day?: number; labels?: object } = {},
): Digest {
  const id = digest(start)
  records.put({
    id,
    manifest: { mediaType: "m", digest: digest(`${start}f`), size: 1 },
    platform: { os: "linux", architecture: "amd64" },
    createdAt: new Date(Date.UTC(2024, 0, options.day ?? 1)),
    sizeBytes: 10,
    topLayer: digest(`${start}a`) as ChainId,
    labels: { ...options.labels },
    layers: [{ chainId: digest(`${start}a`) as ChainId, sizeBytes: 10 }],
    blobs: [digest(`${start}f`), id],
  })
  for (const name of options.names ?? []) records.setName(name, id)
  for (const name of options.digests ?? []) records.setRepoDigest(name, id)
  return id
}

const remove = (nameOrId: string, force = false) =>
  removeFromRecords(records, nameOrId, (id) => users.get(id) ?? [], force)
const coded = (code: string) => expect.objectContaining({ code })
const IDX = "c".repeat(64)

describe("an image is found", () => {
  test("by short name, familiar name, full name, id, and the beginning of its id", () => {
    const id = put("ab12", { names: ["docker.io/library/debian:latest", "quay.io/a/b:1"] })
    for (const text of [
      "debian",
      "debian:latest",
      "library/debian",
      "docker.io/debian",
      "quay.io/a/b:1",
      id,
      "ab12",
      "sha256:ab1",
      id.slice(7),
    ])
      expect(records.get(text).id).toBe(id)
    expect(records.find("debian:12")).toBeUndefined()
    expect(records.find("quay.io/a/b")).toBeUndefined()
  })

  test("by the digest it was pulled by, whatever the tag beside it", () => {
    const id = put("ab", { digests: [`docker.io/library/debian@sha256:${IDX}`] })
    expect(records.get(`debian@sha256:${IDX}`).id).toBe(id)
    expect(records.get(`debian:12@sha256:${IDX}`).id).toBe(id)
    expect(records.find(`other@sha256:${IDX}`)).toBeUndefined()
  })

  test("by a short name when it was made here, unless a registry's image has that name", () => {
    const made = put("ab12", { names: ["localhost/debian:12-slim", "localhost/team/app:latest"] })
    expect(records.find("debian:12-slim")?.id).toBe(made)
    expect(records.locate("team/app")).toMatchObject({ name: "localhost/team/app:latest" })
    expect(records.find("debian")).toBeUndefined()
    expect(records.find("docker.io/library/debian:12-slim")).toBeUndefined()
    expect(records.find("quay.io/debian:12-slim")).toBeUndefined()
    const pulled = put("cd34", { names: ["docker.io/library/debian:12-slim"] })
    expect(records.find("debian:12-slim")?.id).toBe(pulled)
    expect(remove("team/app").untagged).toEqual(["localhost/team/app:latest"])
  })

  test("or not, and the error names what is near", () => {
    put("ab12", { names: ["localhost/debian:12-slim"] })
    expect(() => records.get("debian:12")).toThrow(
      expect.objectContaining({
        code: "NotFound",
        data: { object: "image", name: "debian:12", nearest: "localhost/debian:12-slim" },
      }),
    )
  })

  test("by the short name that registries.conf once resolved, until that is ambiguous", () => {
    const id = put("ab")
    records.setName("quay.io/tools/x:latest", id, "tools/x:latest")
    expect(records.get("tools/x").id).toBe(id)
    records.setName("example.com/tools/x:latest", put("cd"), "tools/x:latest")
    expect(() => records.get("tools/x")).toThrow(coded("InvalidArgument"))
  })

  test("by name before by id: a name of hex digits stays reachable", () => {
    put("abc123")
    const named = put("dd", { names: ["docker.io/library/abc123:latest"] })
    expect(records.get("abc123").id).toBe(named)
  })

  test("not by a beginning that several have", () => {
    put("ab1")
    put("ab2")
    expect(() => records.get("ab")).toThrow(coded("InvalidArgument"))
    expect(() => records.get("ff")).toThrow(coded("NotFound"))
    expect(() => records.get("NoSuch//name")).toThrow(coded("NotFound"))
  })
})

test("a name moves to the image that has it last; the other becomes dangling", () => {
  const old = put("aa", { names: ["docker.io/library/x:latest"] })
  const fresh = put("bb", { names: ["docker.io/library/x:latest"] })
  expect(records.get("x").id).toBe(fresh)
  expect(records.byId(old)?.tags).toEqual([])
})

describe("removing", () => {
  test("one name of several only untags", () => {
    const id = put("aa", { names: ["docker.io/library/x:1", "docker.io/library/x:2"] })
    expect(remove("x:1")).toEqual({ untagged: ["x:1"], deleted: [] })
    expect(records.byId(id)?.tags).toEqual(["docker.io/library/x:2"])
  })

  test("the last name takes its repo digests and the image with it", () => {
    const id = put("aa", { names: ["docker.io/library/x:1"], digests: [`docker.io/library/x@sha256:${IDX}`] })
    expect(remove("x:1")).toEqual({ untagged: ["x:1", `x@sha256:${IDX}`], deleted: [id] })
    expect(records.list()).toEqual([])
    expect(store.db.all("SELECT * FROM image_layers")).toEqual([])
    expect(store.db.all("SELECT * FROM image_blobs")).toEqual([])
  })

  test("an id takes all names of one repository, and wants force for several", () => {
    const id = put("aa", { names: ["docker.io/library/x:1", "docker.io/library/x:2"] })
    expect(remove("aa")).toEqual({ untagged: ["x:1", "x:2"], deleted: [id] })
    put("bb", { names: ["docker.io/library/x:1", "quay.io/y:1"] })
    expect(() => remove("bb")).toThrow(/must be forced.*multiple repositories/)
    expect(remove("bb", true).deleted).toEqual([digest("bb")])
  })

  test("what a container uses stays, and the message names the container", () => {
    const id = put("aa", { names: ["docker.io/library/x:1"] })
    users.set(id, [{ name: "c", kind: "stopped container" }])
    expect(() => remove("x:1")).toThrow(/must force.*container c is using/)
    expect(() => remove("aa")).toThrow(/must be forced.*stopped container c/)
    expect(records.byId(id)?.tags).toHaveLength(1)
    expect(remove("x:1", true)).toEqual({ untagged: ["x:1"], deleted: [] })
    users.set(id, [{ name: "c", kind: "running container" }])
    expect(() => remove("aa", true)).toThrow(/cannot be forced.*running container/)
    users.clear()
    expect(remove("aa").deleted).toEqual([id])
  })

  test("one name of a used image is no matter for its container", () => {
    const id = put("aa", { names: ["docker.io/library/x:1", "docker.io/library/y:1"] })
    users.set(id, [{ name: "c", kind: "running container" }])
    expect(remove("y:1")).toEqual({ untagged: ["y:1"], deleted: [] })
  })
})

const names = (filter: ImageFilter) => filterImages(records, records.list(), filter).map((image) => image.tags.join())

describe("filters", () => {
  beforeEach(() => {
    put("aa", { names: ["docker.io/library/old:1"], day: 1, labels: { a: "1" } })
    put("bb", { names: ["docker.io/team/mid:1", "docker.io/team/mid:2"], day: 2, labels: { a: "2", b: "" } })
    put("cc", { day: 3 })
  })

  test("newest come first", () => {
    expect(names({})).toEqual(["", "docker.io/team/mid:1,docker.io/team/mid:2", "docker.io/library/old:1"])
  })

  test("reference takes patterns, and shows only the names that match", () => {
    expect(names({ reference: ["old"] })).toEqual(["docker.io/library/old:1"])
    expect(names({ reference: ["team/*:2"] })).toEqual(["docker.io/team/mid:2"])
    expect(names({ reference: ["*"] })).toEqual(["docker.io/library/old:1"])
    expect(names({ reference: ["[n-p]l?:*"] })).toEqual(["docker.io/library/old:1"])
    expect(names({ reference: ["(team|x)/mid"] })).toEqual([])
  })

  test("label, dangling, before and since", () => {
    expect(names({ label: ["a=1"] })).toEqual(["docker.io/library/old:1"])
    expect(names({ label: ["a", "b"] })).toHaveLength(1)
    expect(names({ dangling: true })).toEqual([""])
    expect(names({ before: "team/mid:1" })).toEqual(["docker.io/library/old:1"])
    expect(names({ since: "team/mid:1" })).toEqual([""])
    expect(() => names({ since: "none" })).toThrow(coded("NotFound"))
  })
})
