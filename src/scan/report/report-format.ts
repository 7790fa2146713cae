/** The forms of a report that are documents; the table and templates are a front end's. */
export const REPORT_FORMATS = [
  "json",
  "sarif",
  "cyclonedx",
  "spdx",
  "spdx-json",
  "cosign-vuln",
  "junit",
  "github",
  "html",
] as const
/** One of `REPORT_FORMATS`. */
export type ReportFormat = (typeof REPORT_FORMATS)[number]

/** What is told beside the findings. */
export interface ReportOptions {
  /** Every package, not those alone that something was found in. */
  listAllPackages?: boolean
  /** Those as well that only who develops needs. */
  withDevelopment?: boolean
  /** Findings that something ignores are told, as such. */
  showIgnored?: boolean
  /** Where GitHub's action runs, of its environment. */
  github?: { sha?: string; ref?: string; job?: string; workflow?: string; runId?: string }
}
