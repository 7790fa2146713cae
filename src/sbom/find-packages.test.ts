import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { execFileSync } from "node:child_process"
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { ImageTree } from "./image-tree.ts"
import { findPackages } from "./find-packages.ts"
import { parseApkInstalled } from "./apk.ts"
import { parseDpkgStatus } from "./dpkg.ts"
import { purlOf } from "./package.ts"
import { cpuMs } from "../../test/support/cpu-time.ts"

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "skiff-packages-"))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function write(path: string, text: string): string {
  const file = join(root, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  return file
}

const purls = () => {
  const { packages, distribution } = findPackages(root)
  return packages.map((each) => purlOf(each, distribution))
}

const DPKG = `Package: libc6
Status: install ok installed
Maintainer: GNU Libc Maintainers <debian-glibc@lists.debian.org>
Architecture: amd64
Source: glibc (2.36-9)
Version: 1:2.36-9+deb12u3
Description: GNU C Library
 Version: 0 is not a field

Package: gone
Status: deinstall ok config-files
Version: 1
`

describe("packages", () => {
  test("of dpkg: those that are installed, with the distribution that os-release tells", () => {
    write("etc/os-release", `PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\n`)
    write("var/lib/dpkg/status", DPKG)
    expect(purls()).toEqual(["pkg:deb/debian/libc6@1%3A2.36-9%2Bdeb12u3?arch=amd64&distro=debian-12"])
    expect(parseDpkgStatus(DPKG, "/s")).toMatchObject([
      { source: "glibc", supplier: expect.stringContaining("GNU Libc") },
    ])
  })

  test("of distroless: a file for each, without a status", () => {
    write("var/lib/dpkg/status.d/base", "Package: base-files\nVersion: 12.4\n")
    write("var/lib/dpkg/status.d/base.md5sums", "Package: no\nVersion: 1\n")
    expect(purls()).toEqual(["pkg:deb/debian/base-files@12.4"])
  })

  test("of apk: those of its database, wherever it lies", () => {
    const database =
      "C:Q1x\nP:musl\nV:1.2.5-r0\nA:x86_64\nL:MIT\no:musl\nF:lib\nR:ld.so\n\nP:only-a-name\n\nP:zlib\nV:1.3-r2\n"
    write("etc/os-release", "ID=alpine\nVERSION_ID=3.20.1\n")
    write("lib/apk/db/installed", database)
    expect(purls()).toEqual([
      "pkg:apk/alpine/musl@1.2.5-r0?arch=x86_64&distro=alpine-3.20.1",
      "pkg:apk/alpine/zlib@1.3-r2?distro=alpine-3.20.1",
    ])
    expect(parseApkInstalled(database, "/i")[0]).toMatchObject({ license: "MIT" })
  })

  test("of Python and npm: installed ones, each where it lies", () => {
    write("usr/lib/python3/dist-packages/Foo_Bar-1.dist-info/METADATA", "Name: Foo_Bar\nVersion: 1.0\n\nVersion: 9\n")
    write("opt/v/old.egg-info/PKG-INFO", "Name: old\nVersion: 2\nLicense: UNKNOWN\n")
    write("app/node_modules/@s/left/package.json", `{"name":"@s/left","version":"1.2.3","license":{"type":"MIT"}}`)
    write("app/node_modules/@s/left/test/package.json", `{"name":"fixture","version":"1.0.0"}`)
    write("app/node_modules/broken/package.json", "{")
    write("app/package.json", `{"name":"own","version":"1.0.0"}`)
    expect(purls()).toEqual(["pkg:npm/%40s/left@1.2.3", "pkg:pypi/foo-bar@1.0", "pkg:pypi/old@2"])
  })

  test("of an rpm of Berkeley's days are not read, which is said", () => {
    write("var/lib/rpm/Packages", "x")
    expect(findPackages(root).leftOut).toEqual(["the rpm database in /var/lib/rpm"])
  })
})

describe("a hostile image", () => {
  test("leads nowhere by links, is not waited for, and not read without end", () => {
    const outside = mkdtempSync(join(tmpdir(), "skiff-outside-"))
    try {
      writeFileSync(join(outside, "status"), DPKG)
      mkdirSync(join(outside, "x.dist-info"))
      writeFileSync(join(outside, "x.dist-info", "METADATA"), "Name: outside\nVersion: 1\n")
      mkdirSync(join(root, "var/lib/dpkg"), { recursive: true })
      symlinkSync(join(outside, "status"), join(root, "var/lib/dpkg/status"))
      symlinkSync(outside, join(root, "opt"))
      mkdirSync(join(root, "etc"))
      execFileSync("mkfifo", [join(root, "etc/os-release")])
      mkdirSync(join(root, "a.egg-info"))
      execFileSync("mkfifo", [join(root, "a.egg-info/PKG-INFO")])
      truncateSync(write("node_modules/big/package.json", ""), 2 ** 40)
      const startedAt = cpuMs()
      const leftOut = ["/node_modules/big/package.json, which is too large"]
      expect(findPackages(root)).toEqual({ distribution: undefined, packages: [], leftOut })
      expect(cpuMs() - startedAt).toBeLessThan(5_000)
    } finally {
      rmSync(outside, { recursive: true })
    }
  })

  test("that says things a thousand times longer than they are says them short", () => {
    write("var/lib/dpkg/status", `Package: ${"x".repeat(100_000)}\nVersion: 1\n`)
    expect(findPackages(root).packages[0]?.name).toHaveLength(256)
  })

  test("with databases as large as may be, of nothing but small packages, costs neither much time nor memory", () => {
    const bytes = 60 * 1024 ** 2
    write("var/lib/dpkg/status", "Package: a\nVersion: 1\n\n".repeat(bytes / 24))
    write("lib/apk/db/installed", "P:a\nV:1\n\n".repeat(bytes / 10))
    const startedAt = cpuMs()
    const { packages, leftOut } = findPackages(root)
    expect(packages).toHaveLength(1)
    expect(leftOut).toEqual(["all but the first 100000 packages"])
    expect(cpuMs() - startedAt).toBeLessThan(20_000)
  })

  test("deep directories are an end, and said", () => {
    mkdirSync(join(root, ...Array<string>(200).fill("d")), { recursive: true })
    expect(findPackages(root).leftOut).toEqual([`${"/d".repeat(129)}, which lies too deep`])
  })

  test("a directory of very many names is not held in memory, all of it is looked at, and it is walked twice alike", () => {
    mkdirSync(join(root, "many"))
    for (let index = 0; index < 25_000; index++) closeSync(openSync(join(root, "many", `f${index}`), "w"))
    write("many/node_modules/a/package.json", '{"name":"a","version":"1.0.0"}')
    expect(findPackages(root).packages.map(({ name }) => name)).toEqual(["a"])
    using tree = new ImageTree(root)
    const walked = () => [...tree.walk()].filter(({ isDirectory }) => !isDirectory).length
    expect([walked(), walked()]).toEqual([25_001, 25_001])
    expect(tree.names("many")).toHaveLength(25_001)
    expect(tree.leftOut).toEqual([])
  })
})
