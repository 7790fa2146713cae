import { expect, test } from "bun:test"
import type { Vulnerability } from "../scan.ts"
import { riskOf } from "./rank-findings.ts"

function finding(changes: Partial<Vulnerability>): Vulnerability {
  return {
    class: "vulnerability",
    id: "CVE-2024-1",
    aliases: [],
    package: { type: "deb", name: "x", version: "1", purl: "pkg:deb/debian/x@1" },
    fixedVersions: [],
    status: "affected",
    severity: "high",
    vendorSeverities: {},
    cvss: {},
    cweIds: [],
    references: [],
    notes: [],
    ...changes,
  }
}
const still = { running: [], published: [], runsAsRoot: false }

test("a risk grows with what exposes it, and says why", () => {
  const critical = riskOf(finding({ severity: "critical" }), still)
  const exploited = riskOf(finding({ knownExploited: { addedOn: "2024-01-02", isRansomware: true } }), still)
  expect(exploited.score).toBeGreaterThan(critical.score)
  expect(exploited.reasons).toContain("exploited since 2024-01-02 (CISA KEV), by ransomware too")
  const running = riskOf(finding({}), { ...still, running: ["web"] })
  const published = riskOf(finding({}), { running: ["web"], published: ["web on port 80"], runsAsRoot: true })
  expect([riskOf(finding({}), still).score, running.score, published.score]).toEqual([28, 35, 46])
  expect(published.reasons).toEqual(["high", "runs: web", "reached from outside: web on port 80", "runs as root"])
  expect(riskOf(finding({ epss: { score: 0.9, percentile: 0.99 } }), still).reasons).toContain(
    "exploited within 30 days with probability 90 % (EPSS)",
  )
})
