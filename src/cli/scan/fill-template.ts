import { evaluate } from "../template/evaluate.ts"
import { parseTemplate } from "../template/parser.ts"
import { TRIVY_FUNCTIONS } from "./trivy-functions.ts"

/** A Go template over Trivy's report: as there, `.` is the list of results. Throws InvalidArgument with the position. */
export function fillTemplate(template: string, report: { Results?: readonly object[] }): string {
  return evaluate(parseTemplate(template), (report.Results ?? []).map(asMap), TRIVY_FUNCTIONS)
}

/**
 * Go's structs have every field; here those that are empty are left out of JSON, so that any name has to do. What Go embeds is reached by its
 * type's name as well: `.Vulnerability.Severity` is `.Severity`.
 */
function asMap(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asMap)
  if (typeof value !== "object" || value === null) return value
  const map = new Map(Object.entries(value).map(([key, one]) => [key, asMap(one)] as const))
  if ("VulnerabilityID" in value) map.set("Vulnerability", new Map(map))
  return map
}
