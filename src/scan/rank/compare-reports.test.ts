import { expect, test } from "bun:test"
import type { ScanReport, Vulnerability } from "../scan.ts"
import { compareReports } from "./compare-reports.ts"

function report(...found: readonly [id: string, name: string, version: string][]): ScanReport {
  const vulnerabilities = found.map(
    ([id, name, version]) =>
      ({ class: "vulnerability", id, package: { type: "deb", name, version } }) as unknown as Vulnerability,
  )
  return { vulnerabilities, misconfigurations: [], secrets: [], malware: [] } as unknown as ScanReport
}

test("what is new is told; another version that is as weak is no news", () => {
  const before = report(["CVE-1", "curl", "1"], ["CVE-2", "curl", "1"])
  const after = report(["CVE-1", "curl", "2"], ["CVE-3", "curl", "2"], ["CVE-2", "zlib", "1"])
  const { added, gone, same } = compareReports(before, after)
  expect(added.vulnerabilities.map(({ id, package: { name } }) => `${id} ${name}`)).toEqual([
    "CVE-3 curl",
    "CVE-2 zlib",
  ])
  expect([gone, same]).toEqual([1, 1])
})
