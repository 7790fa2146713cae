import { expect, test } from "bun:test"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { tempDirectory } from "../../test/support/temp-directory.ts"
import { findPackages } from "./find-packages.ts"
import { purlOf } from "./package.ts"

test("pacman's packages, of the sections of their desc", () => {
  const root = tempDirectory("skiff-alpm-")
  for (const [name, text] of [
    [
      "bash-5.2.037-1",
      "%NAME%\nbash\n\n%VERSION%\n5.2.037-1\n\n%BASE%\nbash\n\n%ARCH%\nx86_64\n\n%LICENSE%\nGPL-3.0-or-later\n\n%DEPENDS%\nreadline\nlibreadline.so=8-64\nglibc>=2\n\n",
    ],
    ["readline-8.2.013-1", "%NAME%\nreadline\n\n%VERSION%\n8.2.013-1\n\n%PROVIDES%\nlibreadline.so=8-64\n"],
    ["broken-1", "no sections"],
  ] as const) {
    mkdirSync(join(root, "var/lib/pacman/local", name), { recursive: true })
    writeFileSync(join(root, "var/lib/pacman/local", name, "desc"), text)
  }
  writeFileSync(join(root, "var/lib/pacman/local/ALPM_DB_VERSION"), "9\n")
  mkdirSync(join(root, "etc"))
  writeFileSync(join(root, "etc/os-release"), "ID=arch\n")
  const { packages, distribution } = findPackages(root)
  expect(packages.map((each) => [each.name, each.version, each.dependsOn])).toEqual([
    ["bash", "5.2.037-1", ["readline"]],
    ["readline", "8.2.013-1", undefined],
  ])
  const [bash] = packages
  expect(bash && purlOf(bash, distribution)).toBe("pkg:alpm/arch/bash@5.2.037-1?arch=x86_64")
})
