import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { locationsOf, matchedLength, searchNames } from "./locations.ts"
import { loadRegistriesConf, parseRegistriesConf } from "./registries-conf.ts"
import type { Digest } from "../../spec/digest.ts"

const parse = (text: string) => parseRegistriesConf({ path: "registries.conf", text })
const digest = `sha256:${"a".repeat(64)}` as Digest

async function places(
  text: string,
  name: string,
  by: { tag?: string; digest?: Digest } = { tag: "1" },
): Promise<string[]> {
  const slash = name.indexOf("/")
  const ref = { registry: name.slice(0, slash), repository: name.slice(slash + 1), ...by }
  const found = locationsOf(ref, await parse(text))
  return found.map(({ registry, repository, insecure }) => `${registry}/${repository}${insecure ? " insecure" : ""}`)
}

test.each([
  ["example.com/a/b", "example.com", true],
  ["example.com/a/b", "example.com/a", true],
  ["example.com/ab", "example.com/a", false],
  ["example.com:5000/a", "example.com", true],
  ["example.com.evil/a", "example.com", false],
  ["x.example.com/a", "*.example.com", true],
  ["x.y.example.com/a", "*.example.com", true],
  ["example.com/a", "*.example.com", false],
  ["evil/x.example.com", "*.example.com", false],
  ["x.example.community/a", "*.example.com", false],
])("%s lies under %s: %p", (name, prefix, expected) => {
  expect(matchedLength(name, prefix) > 0).toBe(expected)
})

describe("a name leads", () => {
  test("to itself when nothing is said of it", async () => {
    expect(await places("", "docker.io/library/debian")).toEqual(["docker.io/library/debian"])
  })

  test("to its mirrors first, in their order, then to the location that replaces the longest prefix", async () => {
    const text = `
      [[registry]]
      location = "docker.io"
      [[registry]]
      prefix = "docker.io/library"
      location = "own.example/hub"
      [[registry.mirror]]
      location = "one.example/m"
      insecure = true
      [[registry.mirror]]
      location = "two.example:5000"`
    expect(await places(text, "docker.io/library/debian")).toEqual([
      "one.example/m/debian insecure",
      "two.example:5000/debian",
      "own.example/hub/debian",
    ])
  })

  test("past mirrors that are for digests, or for tags, only", async () => {
    const text = `
      [[registry]]
      location = "a.example"
      [[registry.mirror]]
      location = "d.example"
      pull-from-mirror = "digest-only"
      [[registry.mirror]]
      location = "t.example"
      pull-from-mirror = "tag-only"`
    expect(await places(text, "a.example/x")).toEqual(["t.example/x", "a.example/x"])
    expect(await places(text, "a.example/x", { digest })).toEqual(["d.example/x", "a.example/x"])
    const all = text.replace('location = "a.example"', 'location = "a.example"\nmirror-by-digest-only = true')
    expect(await places(all, "a.example/x")).toEqual(["a.example/x"])
  })

  test("by a wildcard to the same host, with that entry's settings", async () => {
    expect(await places('[[registry]]\nprefix = "*.lan"\ninsecure = true', "box.lan/x")).toEqual(["box.lan/x insecure"])
  })

  test("nowhere when it is blocked", async () => {
    const text = '[[registry]]\nlocation = "docker.io"\nblocked = true'
    await expect(places(text, "docker.io/library/debian")).rejects.toThrow(/"docker.io" is blocked/)
  })
})

test("a short name means its alias, or itself on each search registry; docker.io adds library/", async () => {
  const conf = await parse('unqualified-search-registries = ["a.example", "docker.io"]\n[aliases]\nx = "b.example/y/x"')
  expect(searchNames("x", conf)).toEqual([
    { registry: "b.example", repository: "y/x" },
    { registry: "docker.io", repository: "library/x", fallback: true },
  ])
  expect(searchNames("debian", conf)).toEqual([
    { registry: "a.example", repository: "debian" },
    { registry: "docker.io", repository: "library/debian" },
  ])
  expect(searchNames("constructor", conf)).toHaveLength(2)
})

test("behind an alias stands docker's official image only, and not twice", async () => {
  const conf = await parse('[aliases]\n"a/x" = "b.example/a/x"\nbusybox = "docker.io/library/busybox"')
  expect(searchNames("a/x", conf)).toEqual([{ registry: "b.example", repository: "a/x" }])
  expect(searchNames("busybox", conf)).toEqual([{ registry: "docker.io", repository: "library/busybox" }])
})

test.each([
  ["unqualified-search-registries = 1", /not a list/],
  ["[[registry]]\nblocked = 'yes'\nlocation = 'x'", /"blocked" is not true or false/],
  ["[[registry]]\ninsecure = true", /neither prefix nor location/],
  ["[[registry]]\nlocation = 'x'\n[[registry.mirror]]\nlocation = 'y'\npull-from-mirror = 'z'", /digest-only/],
  ["[registries.search]\nregistries = ['x']", /version 1/],
  ["= nonsense", /registries.conf/],
])("%j is refused with the file and the place", async (text, message) => {
  await expect(parse(text)).rejects.toThrow(message)
})

describe("the files", () => {
  const home = mkdtempSync(join(tmpdir(), "skiff-conf-"))
  const user = join(home, ".config/containers")
  beforeAll(() => mkdirSync(join(user, "registries.conf.d"), { recursive: true }))
  afterAll(() => rmSync(home, { recursive: true }))

  test("are the user's, then drop-ins by name, the last word counting; docker.io when nobody says", async () => {
    expect((await loadRegistriesConf({ HOME: home })).unqualifiedSearch).toEqual(["docker.io"])
    writeFileSync(join(user, "registries.conf"), 'unqualified-search-registries = ["a"]\n[aliases]\nskiff-x = "a/1"')
    writeFileSync(join(user, "registries.conf.d/20.conf"), '[aliases]\nskiff-x = "a/3"')
    writeFileSync(join(user, "registries.conf.d/10.conf"), '[aliases]\nskiff-x = "a/2"')
    const conf = await loadRegistriesConf({ HOME: home })
    expect(conf.unqualifiedSearch).toEqual(["a"])
    expect(conf.aliases["skiff-x"]).toBe("a/3")
  })

  test("give way to $CONTAINERS_REGISTRIES_CONF, which must be there", async () => {
    const path = join(home, "own.conf")
    writeFileSync(path, 'unqualified-search-registries = ["b"]')
    expect((await loadRegistriesConf({ HOME: home, CONTAINERS_REGISTRIES_CONF: path })).unqualifiedSearch).toEqual([
      "b",
    ])
    await expect(loadRegistriesConf({ CONTAINERS_REGISTRIES_CONF: "/none" })).rejects.toThrow(/cannot read "\/none"/)
  })
})
