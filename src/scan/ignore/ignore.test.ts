import { describe, expect, test } from "bun:test"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Misconfiguration, Vulnerability } from "../scan.ts"
import { parseIgnoreFile } from "./ignore-file.ts"
import { ignoreFindings, withoutIgnored } from "./ignore-findings.ts"
import { isInGlob, isSamePackage, ruleFor } from "./rules.ts"
import { parseVex } from "./vex.ts"
import { tempDirectory } from "../../../test/support/temp-directory.ts"
import { cpuMs } from "../../../test/support/cpu-time.ts"

function finding(changes: Partial<Vulnerability> = {}): Vulnerability {
  return {
    class: "vulnerability",
    id: "CVE-2024-1",
    aliases: ["GHSA-aaaa"],
    package: {
      type: "npm",
      name: "lodash",
      version: "4.17.20",
      purl: "pkg:npm/lodash@4.17.20",
      path: "/app/node_modules/lodash/package.json",
    },
    fixedVersions: ["4.17.21"],
    status: "fixed",
    severity: "high",
    vendorSeverities: {},
    cvss: {},
    cweIds: [],
    references: [],
    notes: [],
    ...changes,
  }
}

const today = "2026-11-30"
const isIgnored = (text: string, path: string, each = finding()) =>
  ruleFor(each, parseIgnoreFile(text, path, today).vulnerabilities)?.by

function yaml(rule: string): string {
  return `vulnerabilities:\n  - id: CVE-2024-1\n${rule}`
}

function vex(document: unknown, each = finding()) {
  return ruleFor(each, parseVex(JSON.stringify(document), "vex.json"))?.by
}

function statement(status: string, products?: unknown) {
  const whole = { vulnerability: { name: "CVE-2024-1" }, status, justification: "vulnerable_code_not_in_execute_path" }
  return products === undefined ? whole : { ...whole, products }
}

function openVex(...statements: unknown[]) {
  return { "@context": "https://openvex.dev/ns/v0.2.0", statements }
}

function cycloneDx(state: string) {
  return {
    bomFormat: "CycloneDX",
    components: [{ "bom-ref": "a", purl: "pkg:npm/lodash@4.17.20" }],
    vulnerabilities: [{ id: "CVE-2024-1", analysis: { state, detail: "no" }, affects: [{ ref: "a" }] }],
  }
}

describe("a file of what to ignore", () => {
  test(".trivyignore: ids, comments, days", () => {
    expect(isIgnored("# why\nCVE-2024-1 # accepted\n", ".trivyignore")).toEqual({
      kind: "ignore-file",
      source: ".trivyignore",
    })
    expect(isIgnored("GHSA-aaaa", ".trivyignore")).toBeDefined()
    expect(isIgnored("CVE-2024-1 exp:2026-11-30", ".trivyignore")).toBeDefined()
    expect(isIgnored("CVE-2024-1 exp:2026-11-29", ".trivyignore")).toBeUndefined()
    expect(isIgnored("CVE-2024-10", ".trivyignore")).toBeUndefined()
    expect(() => parseIgnoreFile("\nCVE-1 exp:soon", ".trivyignore")).toThrow("line 2")
  })

  test(".trivyignore.yaml: paths, package URLs, days, statements", () => {
    const path = ".trivyignore.yaml"
    expect(isIgnored(yaml("    statement: not reached\n"), path)).toMatchObject({ statement: "not reached" })
    expect(isIgnored(yaml("    paths: ['app/**']\n"), path)).toBeDefined()
    expect(isIgnored(yaml("    paths: ['other/**']\n"), path)).toBeUndefined()
    expect(isIgnored(yaml("    purls: ['pkg:npm/lodash']\n"), path)).toBeDefined()
    expect(isIgnored(yaml("    purls: ['pkg:npm/lodash@4.17.19']\n"), path)).toBeUndefined()
    expect(isIgnored(yaml("    expired_at: 2026-01-01\n"), path)).toBeUndefined()
    expect(parseIgnoreFile("secrets:\n  - id: aws\n    paths: [a]\n", path).others).toEqual([
      { kind: "secrets", id: "aws", paths: ["a"] },
    ])
    expect(() => parseIgnoreFile("vulnerabilities: no", path)).toThrow("no list of rules")
    expect(() => parseIgnoreFile("a: [", path)).toThrow("no YAML")
  })

  test(".grype.yaml: all that a rule names must be so", () => {
    const path = ".grype.yaml"
    expect(isIgnored("ignore:\n  - vulnerability: CVE-2024-1\n    fix-state: fixed\n", path)).toBeDefined()
    expect(isIgnored("ignore:\n  - fix-state: not-fixed\n", path)).toBeUndefined()
    expect(
      isIgnored("ignore:\n  - package:\n      name: lodash\n      version: 4.17.20\n      type: npm\n", path),
    ).toBeDefined()
    expect(isIgnored("ignore:\n  - package:\n      type: python\n", path)).toBeUndefined()
    expect(isIgnored("ignore:\n  - package:\n      location: '/app/**'\n", path)).toBeDefined()
    expect(() => parseIgnoreFile("ignore:\n  - foo: bar\n", path)).toThrow("names nothing that is known")
  })
})

describe("VEX", () => {
  test("OpenVEX: products, parts, the latest statement", () => {
    const lodash = [{ "@id": "pkg:npm/lodash@4.17.20" }]
    expect(vex(openVex(statement("not_affected", lodash)))).toEqual({
      kind: "vex",
      source: "vex.json",
      status: "not_affected",
      statement: "vulnerable_code_not_in_execute_path",
    })
    expect(vex(openVex(statement("not_affected", [{ "@id": "pkg:npm/other" }])))).toBeUndefined()
    expect(vex(openVex(statement("not_affected", [{ "@id": "pkg:oci/app", subcomponents: lodash }])))).toBeDefined()
    expect(vex(openVex(statement("affected", lodash)))).toBeUndefined()
    expect(vex(openVex(statement("not_affected", lodash), statement("affected", lodash)))).toBeUndefined()
    expect(vex(openVex(statement("fixed", lodash)))).toMatchObject({ status: "fixed" })
  })

  test("CSAF: products by the tree's package URLs", () => {
    const document = {
      document: { category: "csaf_vex" },
      product_tree: {
        branches: [
          {
            branches: [
              { product: { product_id: "L", product_identification_helper: { purl: "pkg:npm/lodash@4.17.20" } } },
            ],
          },
        ],
        relationships: [{ product_reference: "L", full_product_name: { product_id: "I:L" } }],
      },
      vulnerabilities: [
        {
          cve: "CVE-2024-1",
          product_status: { known_not_affected: ["I:L"] },
          flags: [{ label: "component_not_present", product_ids: ["I:L"] }],
        },
      ],
    }
    expect(vex(document)).toMatchObject({ status: "not_affected", statement: "component_not_present" })
    expect(vex(document, finding({ id: "CVE-2024-2", aliases: [] }))).toBeUndefined()
  })

  test("CSAF: very many products with flags cost no more than they are", () => {
    const ids = Array.from({ length: 60_000 }, (_, index) => `p${index}`)
    const started = cpuMs()
    const rules = parseVex(
      JSON.stringify({
        document: {},
        product_tree: {
          full_product_names: ids.map((id) => ({
            product_id: id,
            product_identification_helper: { purl: `pkg:npm/${id}` },
          })),
        },
        vulnerabilities: [
          {
            cve: "CVE-2024-1",
            product_status: { known_not_affected: ids },
            flags: ids.map((id) => ({ label: id, product_ids: [id] })),
            threats: ids.map((id) => ({ category: "impact", product_ids: [id] })),
          },
        ],
      }),
      "x.json",
    )
    expect(rules.at(-1)?.by).toMatchObject({ statement: "p59999" })
    expect(cpuMs() - started).toBeLessThan(3_000)
  })

  test("CycloneDX: analysis of components", () => {
    expect(vex(cycloneDx("not_affected"))).toMatchObject({ kind: "vex", statement: "no" })
    expect(vex(cycloneDx("exploitable"))).toBeUndefined()
    expect(vex(cycloneDx("resolved"))).toMatchObject({ status: "fixed" })
    // neither a word that every object has, nor an address that cannot be decoded
    expect(vex(cycloneDx("constructor"))).toBeUndefined()
    const odd = {
      bomFormat: "CycloneDX",
      vulnerabilities: [{ id: "CVE-1", analysis: { state: "resolved" }, affects: [{ ref: "urn:cdx:x/1#%zz" }] }],
    }
    expect(parseVex(JSON.stringify(odd), "x.json")).toHaveLength(1)
  })

  test("another document is refused", () => {
    expect(() => parseVex("{}", "x.json")).toThrow("neither OpenVEX, CSAF nor CycloneDX")
    expect(() => parseVex("no", "x.json")).toThrow("no JSON")
  })
})

test("package URLs of one release of a distribution are the same with and without its point, as Trivy and others write it", () => {
  const ours = "pkg:deb/debian/curl@7.88?arch=amd64&distro=debian-12"
  expect(isSamePackage("pkg:deb/debian/curl@7.88?arch=amd64&distro=debian-12.5", ours)).toBe(true)
  expect(isSamePackage("pkg:deb/debian/curl@7.88?arch=amd64&distro=debian-1", ours)).toBe(false)
  expect(isSamePackage("pkg:deb/debian/curl@7.88?arch=amd64&distro=debian-11.8", ours)).toBe(false)
  expect(isSamePackage("pkg:deb/debian/curl@7.88?arch=arm64&distro=debian-12.5", ours)).toBe(false)
})

test("package URLs are the same without version or qualifiers", () => {
  expect(isSamePackage("pkg:deb/debian/curl?arch=amd64", "pkg:deb/debian/curl@7.88?arch=amd64&distro=debian-12")).toBe(
    true,
  )
  expect(isSamePackage("pkg:deb/debian/curl@7.88?arch=arm64", "pkg:deb/debian/curl@7.88?arch=amd64")).toBe(false)
  expect(isSamePackage("pkg:npm/%40a/b@1", "pkg:npm/@a/b@1")).toBe(true)
})

test.each([
  ["**/x", "a/b/x", true],
  ["a/*/c", "/a/b/c", true],
  ["a/*/c", "a/b/b/c", false],
  ["a", "a/b", true],
  ["**", "x", true],
  ["*.js*n", "package.json", true],
  [`${"**/".repeat(500)}x`, "a/".repeat(2000), false],
])("the glob %s and %s", (glob, path, is) => {
  expect(isInGlob(glob, path)).toBe(is)
})

test("unfixed ones and statuses are ignored when asked for; a missing file is said", () => {
  const directory = tempDirectory("skiff-ignore-")
  const file = join(directory, "empty")
  writeFileSync(file, "")
  const options = { ignoreFile: file, vex: [], ignoreUnfixed: true, ignoreStatuses: ["will_not_fix"] as const }
  const [fixedOne, unfixed, never] = ignoreFindings(
    [finding(), finding({ fixedVersions: [], status: "affected" }), finding({ status: "will_not_fix" })],
    options,
  )
  expect(fixedOne?.ignoredBy).toBeUndefined()
  expect(unfixed?.ignoredBy?.kind).toBe("unfixed")
  expect(never?.ignoredBy).toMatchObject({ kind: "status", status: "will_not_fix" })
  expect(() => ignoreFindings([], { ...options, ignoreFile: join(directory, "none") })).toThrow("no such file")
})

function brokenIn(path: string): Misconfiguration {
  return {
    class: "misconfiguration",
    id: "DS-0002",
    aliases: ["DS002"],
    place: { path },
  } as unknown as Misconfiguration
}

test("misconfigurations are left out by id, and where a path is named only there", () => {
  const directory = tempDirectory("skiff-ignore-")
  const [ignoreFile, lines] = [join(directory, "rules.yaml"), join(directory, "lines")]
  writeFileSync(ignoreFile, "misconfigurations:\n  - id: DS-0002\n    paths: ['app/**']\n")
  writeFileSync(lines, "DS002\n")
  const all = [brokenIn("/app/Dockerfile"), brokenIn("/other/Dockerfile")]
  expect(withoutIgnored(all, { ignoreFile }).map(({ place }) => place.path)).toEqual(["/other/Dockerfile"])
  expect(withoutIgnored(all, { ignoreFile: lines })).toEqual([])
})
