import { VERSION } from "../../base/version.ts"
import type { ScanReport } from "../scan.ts"
import type { ReportOptions } from "./report-format.ts"
import { trivyReport } from "./trivy-report.ts"

/** The predicate of an attestation that an image was scanned (cosign's specs, COSIGN_VULN_ATTESTATION_SPEC). */
export function cosignVulnReport(report: ScanReport, options: ReportOptions): object {
  const [database] = report.data
  return {
    invocation: { parameters: null, uri: "", event_id: "", "builder.id": "" },
    scanner: {
      uri: `pkg:generic/skiff@${VERSION}`,
      version: VERSION,
      db: { uri: "", version: database?.version ?? database?.updatedAt ?? "" },
      result: trivyReport(report, options),
    },
    metadata: { scanStartedOn: report.createdAt, scanFinishedOn: new Date().toISOString() },
  }
}
