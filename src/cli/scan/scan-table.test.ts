import { expect, test } from "bun:test"
import type { Misconfiguration, ScanReport } from "../../scan/scan.ts"
import { scanTable } from "./scan-table.ts"

test("what a terminal would obey is shown, not printed, wherever it stands in an image", () => {
  const [escape, packages] = ["\u001b]0;own\u0007", []]
  const report = {
    subject: { kind: "image", name: escape, layers: [] },
    createdAt: "2026-11-30T00:00:00Z",
    scanners: ["vuln"],
    found: {
      distribution: { id: escape, versionId: escape },
      packages: [{ type: "npm", kind: "node-pkg", name: escape, version: escape, foundIn: escape }],
      leftOut: packages,
    },
    vulnerabilities: [],
    misconfigurations: [],
    secrets: [],
    malware: [],
    ignored: [],
    data: [{ name: escape, updatedAt: escape }],
    leftOut: [escape],
  } as unknown as ScanReport
  // oxlint-disable-next-line no-control-regex
  expect(scanTable(report, { listAllPackages: true }, 80)).not.toMatch(/[\u0007\u001b]/)
})

test("what a container's own options say is told of the container, not of its image", () => {
  const finding = { id: "CIS-5.11", severity: "low", message: "no memory limit", place: {} }
  const report = {
    subject: { kind: "container", name: "web", layers: [] },
    scanners: ["misconfig"],
    found: { distribution: undefined, packages: [], leftOut: [] },
    misconfigurations: [
      { ...finding, kind: "container" },
      { ...finding, id: "CIS-4.1", kind: "image" },
    ] as unknown as Misconfiguration[],
    vulnerabilities: [],
    secrets: [],
    malware: [],
    ignored: [],
    data: [],
    leftOut: [],
  } as unknown as ScanReport
  const text = scanTable(report, {}, undefined)
  expect(text).toMatch(/CIS-5\.11 +LOW +container +/)
  expect(text).toMatch(/CIS-4\.1 +LOW +image +/)
})
