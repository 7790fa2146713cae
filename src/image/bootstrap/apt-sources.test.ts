import { expect, test } from "bun:test"
import { mirrorsOf, parseDeb822Sources, parseSourcesList } from "./apt-sources.ts"
import { mmdebstrapArguments } from "./debian.ts"

test("one-line sources: options, comments and source packages are left out", () => {
  const text = `deb [arch=amd64 signed-by=/k.gpg] http://m/debian bookworm main contrib # here
# deb http://x y z
deb-src http://m/debian bookworm main
  deb http://m/debian bookworm-updates main`
  expect(parseSourcesList(text)).toEqual([
    { uri: "http://m/debian", suite: "bookworm", components: ["main", "contrib"] },
    { uri: "http://m/debian", suite: "bookworm-updates", components: ["main"] },
  ])
})

test("deb822 sources: lists in a field, continued lines, disabled ones", () => {
  const text = `Types: deb deb-src
# a comment
URIs: http://m/debian
Suites: bookworm
 bookworm-updates
Components: main

Enabled: no
Types: deb
URIs: http://off/
Suites: bookworm
Components: main`
  expect(parseDeb822Sources(text).map(({ uri, suite }) => `${uri} ${suite}`)).toEqual([
    "http://m/debian bookworm",
    "http://m/debian bookworm-updates",
  ])
})

test("a suite's mirrors are the host's own, with updates and security; of a strange suite there are none", () => {
  const sources = [
    { uri: "http://m/debian", suite: "bookworm", components: ["main"] },
    { uri: "http://m/security", suite: "bookworm-security", components: ["main"] },
    { uri: "http://third/", suite: "bookworm", components: ["extra"] },
  ]
  expect(mirrorsOf("bookworm", sources)).toEqual([
    "deb http://m/debian bookworm main",
    "deb http://m/security bookworm-security main",
  ])
  expect(mirrorsOf("trixie", sources)).toEqual([])
  expect(mmdebstrapArguments("trixie", []).slice(-2)).toEqual(["trixie", "-"])
})
