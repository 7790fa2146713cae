import { expect, test } from "bun:test"
import { licenseExpression } from "./license.ts"
import type { FoundPackages, Package } from "./package.ts"
import { parseSbom, sbomPredicate } from "./sbom.ts"

const found: FoundPackages = {
  distribution: { id: "debian", versionId: "12" },
  packages: [
    {
      type: "deb",
      kind: "dpkg",
      name: "a+b",
      version: "1",
      supplier: "M <m@x>",
      license: "odd",
      foundIn: "/s",
      homepage: "http://x/",
    },
    {
      type: "npm",
      kind: "node-pkg",
      name: "@s/c",
      version: "2",
      license: "MIT OR Apache-2.0",
      foundIn: "/n",
      homepage: "no url",
    },
  ],
  leftOut: ["x"],
}
const subject = { name: "app", purl: "pkg:docker/app@1", createdAt: "2026-01-01T00:00:00Z" }

test("SPDX 2.3: each element has an id of its letters, and is contained in the image", () => {
  const { predicateType, predicate } = sbomPredicate("spdx", found, subject)
  expect(predicateType).toBe("https://spdx.dev/Document")
  const document = predicate as { packages: { SPDXID: string }[]; relationships: object[] }
  const ids = document.packages.map(({ SPDXID }) => SPDXID)
  expect(new Set(ids).size).toBe(5)
  for (const id of ids) expect(id).toMatch(/^SPDXRef-[A-Za-z0-9.-]+$/)
  expect(document.relationships).toHaveLength(5)
  expect(document).toMatchObject({
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    creationInfo: { created: "2026-01-01T00:00:00Z" },
    packages: [
      { primaryPackagePurpose: "CONTAINER", comment: "not looked into: x" },
      { primaryPackagePurpose: "OPERATING-SYSTEM", name: "debian", versionInfo: "12" },
      { primaryPackagePurpose: "APPLICATION" },
      { versionInfo: "1", supplier: "Organization: M (m@x)", licenseDeclared: "NOASSERTION", homepage: "http://x/" },
      { licenseDeclared: "MIT OR Apache-2.0" },
    ],
  })
  expect(document.packages[4]).not.toHaveProperty("homepage")
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

test.each(["spdx", "cyclonedx"] as const)(
  "%s is read again with the source packages that it was written with",
  (format) => {
    const perl = { type: "deb", kind: "dpkg", name: "perl-base", version: "5.36.0-7+b1", foundIn: "/s" } as const
    const packages = [
      { ...perl, source: "perl", sourceVersion: "5.36.0-7" },
      { ...perl, name: "perl", sourceVersion: "5.36.0-7" },
      { ...perl, name: "libc6", source: "glibc" },
      { type: "rpm", kind: "rpm", name: "node", version: "1-1", source: "nodejs-1-1.src.rpm", foundIn: "/r" } as const,
    ]
    const { predicate } = sbomPredicate(format, { ...found, packages }, subject)
    const read = parseSbom(Buffer.from(JSON.stringify(predicate)), "x").found.packages
    expect(told(read)).toEqual(told(packages))
  },
)

test("of Trivy's SPDX the source package is read, too", () => {
  const document = {
    spdxVersion: "SPDX-2.3",
    packages: [
      {
        name: "perl-base",
        sourceInfo: "built package from: perl 5.36.0-7",
        externalRefs: [{ referenceType: "purl", referenceLocator: "pkg:deb/debian/perl-base@5.36.0-7%2Bb1" }],
      },
    ],
  }
  const [read] = parseSbom(Buffer.from(JSON.stringify(document)), "x").found.packages
  expect(read).toMatchObject({ source: "perl", sourceVersion: "5.36.0-7", version: "5.36.0-7+b1" })
})

function told(packages: readonly Package[]): object[] {
  return packages
    .map(({ name, source = name, sourceVersion, foundIn }) => ({ name, source, sourceVersion, foundIn }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
}
