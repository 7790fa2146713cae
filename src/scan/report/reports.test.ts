import { expect, test } from "bun:test"
import type { ScanReport, Vulnerability } from "../scan.ts"
import { renderReport } from "./render.ts"
import { REPORT_FORMATS } from "./report-format.ts"

const HOSTILE = `</script><img src=x onerror=alert(1)>"'&\u0007`
const report: ScanReport = {
  createdAt: "2026-11-30T00:00:00.000Z",
  subject: { kind: "image", name: `app ${HOSTILE}`, layers: [] },
  scanners: ["vuln"],
  found: {
    distribution: { id: "debian", versionId: "12", pointVersion: "12.5" },
    packages: [
      {
        type: "deb",
        kind: "dpkg",
        name: "libc6",
        version: "1:2.36-9+deb12u3",
        source: "glibc",
        foundIn: "/var/lib/dpkg/status",
      },
      {
        type: "npm",
        kind: "node-pkg",
        name: "lodash",
        version: "4.17.0",
        foundIn: "/app/node_modules/lodash/package.json",
      },
    ],
    leftOut: [],
  },
  vulnerabilities: [
    {
      class: "vulnerability",
      id: "CVE-2021-23337",
      aliases: ["GHSA-35jh-r3h4-6jhm"],
      package: {
        type: "npm",
        name: "lodash",
        version: "4.17.0",
        purl: "pkg:npm/lodash@4.17.0",
        path: "/app/node_modules/lodash/package.json",
      },
      fixedVersions: ["4.17.21"],
      status: "fixed",
      severity: "high",
      vendorSeverities: { ghsa: "high" },
      cvss: { nvd: { v3Vector: "CVSS:3.1/AV:N", v3Score: 7.2 } },
      cweIds: ["CWE-94"],
      title: HOSTILE,
      primaryUrl: "javascript:alert(1)",
      references: [],
      notes: [],
    },
  ],
  misconfigurations: [],
  secrets: [],
  malware: [],
  ignored: [],
  data: [],
  leftOut: [],
}

test.each(["sarif", "cyclonedx", "json", "github", "spdx-json", "cosign-vuln"] as const)(
  "%s is a document",
  async (format) => {
    expect(REPORT_FORMATS).toContain(format)
    expect(JSON.parse(await renderReport(report, format))).toBeObject()
  },
)

test("Trivy's schema: lists by their targets, a finding in the one of its package", async () => {
  const document = JSON.parse(await renderReport(report, "json", { listAllPackages: true }))
  expect(document).toMatchObject({
    SchemaVersion: 2,
    ArtifactType: "container_image",
    Metadata: { OS: { Family: "debian", Name: "12.5" } },
    Results: [
      {
        Class: "os-pkgs",
        Type: "debian",
        Packages: [{ Name: "libc6", Version: "2.36", Release: "9+deb12u3", Epoch: 1, SrcName: "glibc" }],
      },
      {
        Target: "Node.js",
        Class: "lang-pkgs",
        Type: "node-pkg",
        Vulnerabilities: [
          {
            VulnerabilityID: "CVE-2021-23337",
            PkgPath: "app/node_modules/lodash/package.json",
            FixedVersion: "4.17.21",
            Severity: "HIGH",
          },
        ],
      },
    ],
  })
})

test("what only who develops needs is listed where that is asked for, as in Trivy's", async () => {
  const packages = report.found.packages.map((each) => Object.assign({ isDevelopment: true as const }, each))
  const told = { ...report, found: { ...report.found, packages: packages.filter(({ type }) => type === "npm") } }
  const listed = async (withDevelopment: boolean) =>
    JSON.parse(await renderReport(told, "json", { listAllPackages: true, withDevelopment })).Results[1].Packages
  expect(await listed(false)).toEqual([])
  expect(await listed(true)).toMatchObject([{ Name: "lodash", Dev: true }])
})

test("SARIF: a rule an id with GitHub's score, a result with a fingerprint", async () => {
  const { runs } = JSON.parse(await renderReport(report, "sarif"))
  expect(runs[0].tool.driver.rules[0]).toMatchObject({
    id: "CVE-2021-23337",
    name: "LanguageSpecificPackageVulnerability",
    help: { markdown: expect.stringContaining("| Severity | Package | Fixed Version | Link |\n") },
    properties: { "security-severity": "7.2" },
  })
  expect(runs[0].results[0]).toMatchObject({
    ruleIndex: 0,
    level: "error",
    locations: [{ physicalLocation: { artifactLocation: { uri: "app/node_modules/lodash/package.json" } } }],
    partialFingerprints: { primaryLocationLineHash: expect.stringMatching(/^[0-9a-f]{64}$/) },
  })
})

test("SPDX as lines of tags is what its reader understands, whatever names are like", async () => {
  const { parseSbom } = await import("../../sbom/sbom.ts")
  const packages = report.found.packages.map((each) => ({ ...each, supplier: "a\nPackageName: b\n</text>c" }))
  const told = await renderReport({ ...report, found: { ...report.found, packages } }, "spdx")
  expect(told.match(/^PackageName:/gm)).toHaveLength(5)
  expect(
    parseSbom(Buffer.from(told), "x").found.packages.map(({ name, version, source }) => [name, version, source]),
  ).toEqual([
    ["libc6", "1:2.36-9+deb12u3", "glibc"],
    ["lodash", "4.17.0", undefined],
  ])
})

test("cosign's predicate has Trivy's report as the scanner's result", async () => {
  const { scanner } = JSON.parse(await renderReport(report, "cosign-vuln"))
  expect(scanner.result.Results[1].Vulnerabilities[0].VulnerabilityID).toBe("CVE-2021-23337")
})

test("CycloneDX: a vulnerability affects a component of the same document", async () => {
  const { components, vulnerabilities } = JSON.parse(await renderReport(report, "cyclonedx"))
  expect(components.map((each: { "bom-ref": string }) => each["bom-ref"])).toContain(vulnerabilities[0].affects[0].ref)
})

test.each(["html", "junit"] as const)("%s has nothing of a stranger's as markup", async (format) => {
  const text = await renderReport(report, format)
  expect(text).toContain("CVE-2021-23337")
  expect(text).not.toContain("<img")
  expect(text).not.toContain("javascript:")
  expect(text).not.toContain("\u0007")
})

test("halves of letters, which JSON of a stranger's may have, stop no report", async () => {
  const [half] = report.vulnerabilities
  const broken = { ...half, package: { ...half?.package, name: "a\ud800", path: "/app/\udc00x" } } as Vulnerability
  const packages = report.found.packages.map((each) => ({ ...each, name: "a\ud800", version: "1\udc00" }))
  const told = { ...report, found: { ...report.found, packages }, vulnerabilities: [broken] }
  for (const format of REPORT_FORMATS) expect(await renderReport(told, format, { listAllPackages: true })).not.toBe("")
})

test("a package that only others need is indirect, for GitHub and in Trivy's JSON", async () => {
  const [, lodash] = report.found.packages
  if (lodash === undefined) throw new Error("the report has two packages")
  const found = { ...report.found, packages: [{ ...lodash, isIndirect: true }] }
  const told = async (format: "github" | "json") =>
    await renderReport({ ...report, found }, format, { listAllPackages: true })
  expect(await told("github")).toContain('"relationship": "indirect"')
  expect(await told("json")).toContain('"Relationship": "indirect"')
})
