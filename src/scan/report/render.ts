import type { ScanReport } from "../scan.ts"
import type { ReportFormat, ReportOptions } from "./report-format.ts"

/** The report as a document, with a line end. Only the form that is asked for is loaded. */
export async function renderReport(
  report: ScanReport,
  format: ReportFormat,
  options: ReportOptions = {},
): Promise<string> {
  if (format === "json") return text((await import("./trivy-report.ts")).trivyReport(report, options))
  if (format === "sarif") return text((await import("./sarif-report.ts")).sarifReport(report))
  if (format === "junit") return (await import("./junit-report.ts")).junitReport(report)
  if (format === "html") return (await import("./html-report.ts")).htmlReport(report)
  if (format === "github") return text((await import("./github-report.ts")).githubReport(report, options))
  if (format === "cyclonedx") return text((await import("./cyclonedx-report.ts")).cyclonedxReport(report))
  if (format === "cosign-vuln") return text((await import("./cosign-vuln-report.ts")).cosignVulnReport(report, options))
  const { spdxDocument, spdxTagValue } = await import("../../sbom/sbom.ts")
  const { createdAt, subject, found } = report
  const document = spdxDocument(found, { name: subject.name, createdAt: createdAt.replace(/\.\d+Z$/, "Z") })
  return format === "spdx" ? spdxTagValue(document) : text(document)
}

function text(document: unknown): string {
  return `${JSON.stringify(document, null, 2)}\n`
}
