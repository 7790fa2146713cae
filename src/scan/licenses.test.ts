import { expect, test } from "bun:test"
import { licensesOf } from "./licenses.ts"

const told = (license: string, ignored: string[] = []) =>
  licensesOf(
    {
      distribution: undefined,
      leftOut: [],
      packages: [{ type: "npm", kind: "node-pkg", name: "a", version: "1", license, foundIn: "/a" }],
    },
    ignored,
  ).map(({ name, category, severity }) => `${name} ${category} ${severity}`)

// as Trivy 0.45 tells of the same packages
test.each([
  ["MIT", "MIT notice low"],
  ["GPL-2.0-or-later", "GPL-2.0-or-later restricted high"],
  ["AGPL-3.0-only", "AGPL-3.0-only forbidden critical"],
  ["MPL-2.0", "MPL-2.0 reciprocal medium"],
  ["CC0-1.0", "CC0-1.0 unencumbered low"],
  ["something else", "something else unknown unknown"],
])("%s", (license, wanted) => expect(told(license)).toEqual([wanted]))

test("each name of an expression once, without those that are ignored", () => {
  expect(told("(MIT AND BSD-2-Clause) OR MIT", ["BSD-2-Clause"])).toEqual(["MIT notice low"])
  expect(told("")).toEqual([])
})
