import { expect, test } from "bun:test"
import { licenseExpression } from "./license.ts"
import type { FoundPackages } from "./package.ts"
import { sbomPredicate } from "./sbom.ts"

const found: FoundPackages = {
  distribution: { id: "debian", versionId: "12" },
  packages: [
    {
      type: "deb",
      name: "a+b",
      version: "1",
      supplier: "M <m@x>",
      license: "odd",
      foundIn: "/s",
      homepage: "http://x/",
    },
    { type: "npm", name: "@s/c", version: "2", license: "MIT OR Apache-2.0", foundIn: "/n", homepage: "no url" },
  ],
  leftOut: ["x"],
}
const subject = { name: "app", purl: "pkg:docker/app@1", createdAt: "2026-01-01T00:00:00Z" }

test("SPDX 2.3: each element has an id of its letters, and is contained in the image", () => {
  const { predicateType, predicate } = sbomPredicate("spdx", found, subject)
  expect(predicateType).toBe("https://spdx.dev/Document")
  const document = predicate as { packages: { SPDXID: string }[]; relationships: object[] }
  const ids = document.packages.map(({ SPDXID }) => SPDXID)
  expect(new Set(ids).size).toBe(3)
  for (const id of ids) expect(id).toMatch(/^SPDXRef-[A-Za-z0-9.-]+$/)
  expect(document.relationships).toHaveLength(3)
  expect(document).toMatchObject({
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    creationInfo: { created: "2026-01-01T00:00:00Z" },
    packages: [
      { primaryPackagePurpose: "CONTAINER", comment: "not looked into: x" },
      { versionInfo: "1", supplier: "Organization: M (m@x)", licenseDeclared: "NOASSERTION", homepage: "http://x/" },
      { licenseDeclared: "MIT OR Apache-2.0" },
    ],
  })
  expect(document.packages[2]).not.toHaveProperty("homepage")
})

test.each([
  ["cyclonedx", "1.6"],
  ["cyclonedx-1.5", "1.5"],
] as const)("%s is of version %s, and what it depends on is in it", (format, version) => {
  const { predicateType, predicate } = sbomPredicate(format, found, subject)
  expect(predicateType).toBe("https://cyclonedx.org/bom")
  const document = predicate as {
    serialNumber: string
    components: { "bom-ref": string }[]
    dependencies: [{ dependsOn: string[] }]
  }
  expect(document.serialNumber).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/)
  const refs = document.components.map((each) => each["bom-ref"])
  expect(refs).toEqual(expect.arrayContaining(document.dependencies[0].dependsOn))
  expect(document).toMatchObject({
    bomFormat: "CycloneDX",
    specVersion: version,
    components: [
      { type: "operating-system", name: "debian", version: "12" },
      { type: "library", licenses: [{ license: { name: "odd" } }] },
      { type: "library", licenses: [{ expression: "MIT OR Apache-2.0" }] },
    ],
  })
})

test("equal inputs give equal bytes", () => {
  for (const format of ["spdx", "cyclonedx"] as const)
    expect(JSON.stringify(sbomPredicate(format, found, subject))).toBe(
      JSON.stringify(sbomPredicate(format, found, subject)),
    )
})

test.each([
  ["MIT", "MIT"],
  ["(MIT OR Apache-2.0) AND ISC", "(MIT OR Apache-2.0) AND ISC"],
  ["MIT Apache-2.0", undefined],
  ["(MIT", undefined],
  ["MIT OR", undefined],
  ["", undefined],
  ["Commercial", undefined],
  ['MIT", "evil": "', undefined],
])("the licence %j is the expression %j", (text, expression) => {
  expect(licenseExpression(text)).toBe(expression as string)
})
