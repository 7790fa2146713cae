import { expect, test } from "bun:test"
import { parseApkInstalled } from "./apk.ts"
import { parseDpkgStatus } from "./dpkg.ts"
import { neededPackages } from "./needed-packages.ts"
import type { Package } from "./package.ts"
import { parserOf } from "./parser-of.ts"

const dependencies = (packages: readonly { name: string; dependsOn?: readonly string[] }[]) =>
  packages.map(({ name, dependsOn = [] }) => `${name}: ${dependsOn.join(" ")}`)

function status(name: string, rest: string): string {
  return `Package: ${name}\nStatus: install ok installed\nVersion: 1\n${rest}\n\n`
}

test("dpkg's: each alternative that is there, what others provide, without versions and architectures", () => {
  const text =
    status(
      "a",
      `Depends: b (>= 1) | not-there, awk, python3:any, x${" , not-there".repeat(100)}, last\nPre-Depends: c`,
    ) +
    status("b", "") +
    status("c", "Depends: c") +
    status("mawk", "Provides: awk (= 1), y") +
    status("python3", "") +
    status("last", "")
  expect(dependencies(parseDpkgStatus(text, "/s"))).toEqual([
    "a: b c last mawk python3",
    "b: ",
    "c: ",
    "mawk: ",
    "python3: ",
    "last: ",
  ])
})

test("apk's: libraries, commands and files by who gives them; conflicts are none", () => {
  const text =
    "P:musl-utils\nV:1\nD:scanelf so:libc.musl-x86_64.so.1 /bin/sh !b>1\n\nP:musl\nV:1\np:so:libc.musl-x86_64.so.1=1\n\nP:busybox\nV:1\np:/bin/sh\n\nP:b\nV:1\n"
  expect(dependencies(parseApkInstalled(text, "/s"))).toEqual([
    "musl-utils: busybox musl",
    "musl: ",
    "busybox: ",
    "b: ",
  ])
})

test.each([
  [
    "package-lock.json",
    JSON.stringify({
      lockfileVersion: 3,
      packages: {
        "node_modules/a": { version: "1.0.0", dependencies: { b: "^1", gone: "1" } },
        "node_modules/b": { version: "1.0.0" },
      },
    }),
  ],
  [
    "yarn.lock",
    'a@^1:\n  version "1.0.0"\n  dependencies:\n    b "^1"\n    gone "1"\n\n"b@^1":\n  version "1.0.0"\n  bin:\n    c d\n',
  ],
  [
    "composer.lock",
    JSON.stringify({
      packages: [
        { name: "a", version: "1.0.0", require: { php: ">7", b: "^1" } },
        { name: "b", version: "1.0.0" },
      ],
    }),
  ],
  ["Gemfile.lock", "GEM\n  specs:\n    a (1.0.0)\n      b (>= 1)\n      gone\n    b (1.0.0)\n"],
  [
    "Cargo.lock",
    '[[package]]\nname = "a"\nversion = "1.0.0"\ndependencies = [\n "b 1.0.0 (registry+x)",\n "gone",\n]\n\n[[package]]\nname = "b"\nversion = "1.0.0"\n',
  ],
  [
    "poetry.lock",
    '[[package]]\nname = "a"\nversion = "1.0.0"\n\n[package.dependencies]\nb = ">=1"\ngone = {version = "*"}\n\n[[package]]\nname = "b"\nversion = "1.0.0"\n',
  ],
  [
    "uv.lock",
    '[[package]]\nname = "a"\nversion = "1.0.0"\nsource = { registry = "x" }\ndependencies = [\n    { name = "b" },\n    { name = "gone", marker = "x" },\n]\n\n[[package]]\nname = "b"\nversion = "1.0.0"\n',
  ],
])("%s says what its packages need", (name, text) => {
  const parse = parserOf({ path: name, name, isDirectory: false } as Parameters<typeof parserOf>[0], true)
  expect(dependencies(parse?.(Buffer.from(text), `/${name}`) ?? [])).toEqual(["a: b", "b: "])
})

test("of several versions of one package in a file nobody knows which is needed; each file is its own", () => {
  const npm = { type: "npm", kind: "npm" } as const
  const packages: Package[] = [
    { ...npm, name: "a", version: "1", foundIn: "/x", dependsOn: ["b", "c"] },
    { ...npm, name: "b", version: "1", foundIn: "/x" },
    { ...npm, name: "b", version: "2", foundIn: "/x" },
    { ...npm, name: "c", version: "1", foundIn: "/y" },
    { ...npm, name: "c", version: "2", foundIn: "/x" },
  ]
  const [first] = packages
  expect(first && neededPackages(packages)(first)).toEqual([4])
})
