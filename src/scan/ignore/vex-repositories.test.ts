import { expect, test } from "bun:test"
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { tempDirectory } from "../../../test/support/temp-directory.ts"
import type { FoundPackages } from "../../sbom/sbom.ts"
import { vexOfRepositories } from "./vex-repositories.ts"

const FOUND: FoundPackages = {
  distribution: undefined,
  packages: [{ type: "npm", kind: "node-pkg", name: "lodash", version: "4.17.0", foundIn: "/x" }],
  leftOut: [],
}
const vex = (id: string, product: string) =>
  JSON.stringify({
    "@context": "https://openvex.dev/ns/v0.2.0",
    statements: [{ vulnerability: { name: id }, products: [{ "@id": product }], status: "not_affected" }],
  })

test("only the documents of packages that were found are read, and nothing outside the repository", () => {
  const root = tempDirectory("skiff-vex-repo-")
  const own = join(root, "default/0.1")
  mkdirSync(join(own, "pkg/npm/lodash"), { recursive: true })
  const outside = join(root, "outside.json")
  writeFileSync(outside, vex("CVE-9", "pkg:npm/lodash"))
  writeFileSync(join(own, "pkg/npm/lodash/vex.json"), vex("CVE-2021-23337", "pkg:npm/lodash"))
  symlinkSync(outside, join(own, "link.json"))
  writeFileSync(
    join(own, "index.json"),
    JSON.stringify({
      updated_at: "2026-01-01T00:00:00Z",
      packages: [
        { id: "pkg:npm/lodash", location: "pkg/npm/lodash/vex.json", format: "openvex" },
        { id: "pkg:npm/lodash", location: "../../outside.json" },
        { id: "pkg:npm/lodash", location: "link.json" },
        { id: "pkg:npm/other", location: "pkg/npm/other/vex.json" },
        { id: 7 },
      ],
    }),
  )
  expect(vexOfRepositories(root, FOUND)).toMatchObject([
    { id: "CVE-2021-23337", purls: ["pkg:npm/lodash"], by: { kind: "vex", status: "not_affected" } },
  ])
})

test("without a repository it is said", () => {
  expect(() => vexOfRepositories(tempDirectory("skiff-vex-repo-"), FOUND)).toThrow("there is no VEX repository in")
})
