import { expect, test } from "bun:test"
import { readFileSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { tempDirectory } from "../../../test/support/temp-directory.ts"
import type { FoundPackages } from "../../sbom/sbom.ts"
import type { ScanOptions } from "../scan.ts"
import { keptPackages } from "./kept-packages.ts"

const OPTIONS = { skipDirectories: [], skipFiles: [] } as unknown as ScanOptions
const FOUND: FoundPackages = {
  distribution: { id: "debian", versionId: "12" },
  packages: [{ type: "deb", kind: "dpkg", name: "a", version: "1", foundIn: "/var/lib/dpkg/status" }],
  leftOut: ["x"],
}

test("packages are found once, as long as they are asked for alike", () => {
  const file = join(tempDirectory("skiff-kept-"), "packages")
  let count = 0
  const find = () => {
    count++
    return FOUND
  }
  const ask = (more: Partial<ScanOptions> = {}) => keptPackages(file, { ...OPTIONS, ...more }, find)
  expect([ask(), ask()]).toEqual([FOUND, FOUND])
  expect(count).toBe(1)
  // others are found, and what is not all is not kept
  ask({ skipFiles: ["a"] })
  ask()
  expect(count).toBe(2)
  ask({ withPackageLayers: true })
  expect(count).toBe(3)
  // of another version, or cut
  writeFileSync(file, readFileSync(file, "utf8").replace(/"reader":"[^"]*"/, '"reader":"0"'))
  ask()
  expect(count).toBe(4)
  truncateSync(file, 20)
  expect(ask()).toEqual(FOUND)
  expect(count).toBe(5)
  expect(keptPackages(undefined, OPTIONS, find)).toEqual(FOUND)
})

test("what has no distribution has none when it is read again", () => {
  const file = join(tempDirectory("skiff-kept-"), "packages")
  const found = { ...FOUND, distribution: undefined }
  keptPackages(file, OPTIONS, () => found)
  expect(keptPackages(file, OPTIONS, () => FOUND)).toEqual(found)
})
