import type { Misconfiguration, Severity } from "../scan.ts"

/** A list of findings as evidence: some of them, and how many there are. */
export function evidenceOf(
  findings: readonly {
    id?: string
    ruleId?: string
    severity: Severity
    message?: string
    title?: string
    place?: Misconfiguration["place"]
  }[],
): string[] {
  const shown = findings
    .slice(0, 5)
    .map(
      ({ id, ruleId, message, title = "", place }) =>
        `${id ?? ruleId ?? ""}: ${message ?? title}${place?.path === undefined ? "" : ` (${place.path})`}`,
    )
  return findings.length > shown.length ? [...shown, `and ${findings.length - shown.length} more`] : shown
}
