import { purlOf, sbomPredicate } from "../../sbom/sbom.ts"
import type { ScanReport, Severity, Vulnerability } from "../scan.ts"

/** CycloneDX's words. */
const SEVERITY_WORDS: Record<Severity, string> = {
  critical: "critical",
  high: "high",
  medium: "medium",
  low: "low",
  unknown: "unknown",
}
const STATES: Readonly<Record<string, string>> = {
  not_affected: "not_affected",
  fixed: "resolved",
  under_investigation: "in_triage",
  affected: "exploitable",
}

/** The SBOM of the subject, with what is known of its components; what VEX said of them goes along. */
export function cyclonedxReport(report: ScanReport): object {
  const { found, subject, createdAt } = report
  const about = { name: subject.name, createdAt: createdAt.replace(/\.\d+Z$/, "Z") }
  const document = sbomPredicate("cyclonedx", found, about).predicate as {
    components: readonly { "bom-ref": string; purl?: string }[]
  }
  const refs = new Map<string, string>()
  for (const { purl, "bom-ref": ref } of document.components)
    if (purl !== undefined && !refs.has(purl)) refs.set(purl, ref)
  for (const each of found.packages) {
    const purl = purlOf(each, found.distribution)
    const ref = refs.get(purl)
    if (ref !== undefined) refs.set([each.type, each.name, each.version].join("\0"), ref)
  }
  const byId = new Map<string, Vulnerability[]>()
  for (const each of [...report.vulnerabilities, ...report.ignored]) {
    const list = byId.get(each.id)
    if (list === undefined) byId.set(each.id, [each])
    else list.push(each)
  }
  if (byId.size === 0) return document
  return { ...document, vulnerabilities: [...byId].map(([id, list]) => vulnerabilityOf(id, list, refs)) }
}

function vulnerabilityOf(id: string, list: readonly Vulnerability[], refs: ReadonlyMap<string, string>): object {
  const [first] = list
  const ratings = Object.entries(first?.cvss ?? {}).flatMap(([name, { v3Score, v3Vector, v40Score, v40Vector }]) => {
    const score = v40Score ?? v3Score
    if (score === undefined) return []
    const vector = v40Vector ?? v3Vector
    const method = v40Score === undefined ? (vector?.startsWith("CVSS:3.0") === true ? "CVSSv3" : "CVSSv31") : "CVSSv4"
    return [
      {
        source: { name },
        score,
        severity: SEVERITY_WORDS[first?.severity ?? "unknown"],
        method,
        ...(vector === undefined ? {} : { vector }),
      },
    ]
  })
  const cwes = (first?.cweIds ?? []).flatMap((cwe) => /^CWE-(\d+)$/.exec(cwe)?.[1] ?? []).map(Number)
  const ignored = list.every(({ ignoredBy }) => ignoredBy !== undefined) ? first?.ignoredBy : undefined
  const state = ignored === undefined ? undefined : (STATES[ignored.status ?? ""] ?? "not_affected")
  return {
    id,
    ...(first?.dataSource === undefined ? {} : { source: { name: first.dataSource.id, url: first.dataSource.url } }),
    ratings: ratings.length > 0 ? ratings : [{ severity: SEVERITY_WORDS[first?.severity ?? "unknown"] }],
    ...(cwes.length === 0 ? {} : { cwes }),
    ...(first?.description === undefined ? {} : { description: first.description }),
    ...(first?.fixedVersions.length
      ? { recommendation: `Upgrade ${first.package.name} to ${first.fixedVersions.join(", ")}` }
      : {}),
    ...(first?.primaryUrl === undefined ? {} : { advisories: [{ url: first.primaryUrl }] }),
    ...(first?.publishedAt === undefined ? {} : { published: first.publishedAt }),
    ...(first?.modifiedAt === undefined ? {} : { updated: first.modifiedAt }),
    ...(state === undefined
      ? {}
      : { analysis: { state, ...(ignored?.statement === undefined ? {} : { detail: ignored.statement }) } }),
    affects: list.map(({ package: { purl, type, name, version } }) => ({
      ref: refs.get(purl) ?? refs.get([type, name, version].join("\0")) ?? purl,
      versions: [{ version, status: "affected" }],
    })),
  }
}
