import { hash } from "node:crypto"
import { VERSION } from "../../base/version.ts"
import { isOfSystem } from "../../sbom/sbom.ts"
import type { Place, ScanReport, Severity } from "../scan.ts"

/** One result of SARIF, before its rule has a number. */
interface Row {
  ruleId: string
  /** As Trivy calls the kinds of rules. */
  kind: string
  title: string
  help: string
  markdown?: string
  uri?: string
  severity: Severity
  score?: number
  message: string
  path: string
  place: Pick<Place, "startLine" | "endLine">
  tags: readonly string[]
}

const LEVELS: Record<Severity, string> = {
  critical: "error",
  high: "error",
  medium: "warning",
  low: "note",
  unknown: "note",
}
/** What GitHub makes its own severities of, where nobody gave a score. */
const SCORES: Record<Severity, string> = { critical: "9.5", high: "8.0", medium: "5.5", low: "2.0", unknown: "0.0" }

/** SARIF 2.1.0: a rule an id, a result a package or a place, with the fingerprints that GitHub tells old results by. */
export function sarifReport(report: ScanReport): object {
  const rows = rowsOf(report)
  const rules = new Map<string, { index: number; rule: object }>()
  for (const row of rows) if (!rules.has(row.ruleId)) rules.set(row.ruleId, { index: rules.size, rule: ruleOf(row) })
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: { name: "skiff", version: VERSION, rules: [...rules.values()].map(({ rule }) => rule) },
        },
        originalUriBaseIds: { ROOTPATH: { uri: "file:///" } },
        results: rows.map((row) => resultOf(row, rules.get(row.ruleId)?.index ?? 0)),
        columnKind: "utf16CodeUnits",
        ...(report.subject.image === undefined ? {} : { properties: imageProperties(report.subject) }),
      },
    ],
  }
}

/** By which pipelines know whose report it is. */
function imageProperties({ name, image }: ScanReport["subject"]): object {
  return { imageName: name, imageID: image?.id, repoDigests: image?.digests ?? [], repoTags: image?.tags ?? [] }
}

function rowsOf({ vulnerabilities, misconfigurations, secrets, malware, subject }: ScanReport): Row[] {
  const own = subject.name.replaceAll(/[^\w./-]/g, "-")
  const pathOf = (place: Place): string => place.path?.replace(/^\/+/, "") || own
  return [
    ...vulnerabilities.map((each): Row => {
      const { package: affected, fixedVersions, cvss, primaryUrl } = each
      const scores = Object.values(cvss).flatMap(({ v3Score, v40Score }) => v40Score ?? v3Score ?? [])
      const [fixed, severity, about] = [
        fixedVersions.join(", "),
        each.severity.toUpperCase(),
        each.description ?? each.title ?? each.id,
      ]
      const link = primaryUrl === undefined || !/^https?:/.test(primaryUrl) ? each.id : `[${each.id}](${primaryUrl})`
      const isSystem = isOfSystem(affected)
      return {
        ruleId: each.id,
        kind: isSystem ? "OsPackageVulnerability" : "LanguageSpecificPackageVulnerability",
        title: each.title ?? each.id,
        help: `Vulnerability ${each.id}\nSeverity: ${severity}\nPackage: ${affected.name}\nFixed Version: ${fixed}\nLink: ${link}\n${about}`,
        markdown: `**Vulnerability ${each.id}**\n| Severity | Package | Fixed Version | Link |\n| --- | --- | --- | --- |\n|${severity}|${affected.name}|${fixed}|${link}|\n\n${about}`,
        ...(primaryUrl === undefined ? {} : { uri: primaryUrl }),
        severity: each.severity,
        ...(scores.length === 0 ? {} : { score: Math.max(...scores) }),
        message: `Package: ${affected.name}\nInstalled Version: ${affected.version}\nVulnerability ${each.id}\nSeverity: ${severity}\nFixed Version: ${fixed}\nLink: ${link}`,
        // a package of the system is the image's, whatever file tells of it
        path: pathOf(isSystem || affected.path === undefined ? {} : { path: affected.path }),
        place: {},
        tags: ["vulnerability", "security", severity],
      }
    }),
    ...misconfigurations.map((each): Row => ({
      ruleId: each.id,
      kind: "Misconfiguration",
      title: each.title,
      help: `${each.title}\n\n${each.resolution}`,
      ...(each.references[0] === undefined ? {} : { uri: each.references[0] }),
      severity: each.severity,
      message: each.message,
      path: pathOf(each.place),
      place: each.place,
      tags: ["misconfiguration", "security", each.severity.toUpperCase()],
    })),
    ...secrets.map((each): Row => ({
      ruleId: each.ruleId,
      kind: "Secret",
      title: each.title,
      help: `${each.title}: ${each.category}`,
      severity: each.severity,
      message: `${each.title}: ${each.match}`,
      path: pathOf(each.place),
      place: each.place,
      tags: ["secret", "security", each.severity.toUpperCase()],
    })),
    ...malware.map((each): Row => ({
      ruleId: each.id,
      kind: "Malware",
      title: each.title,
      help: each.title,
      severity: each.severity,
      message: each.message,
      path: pathOf(each.place),
      place: each.place,
      tags: ["malware", "security", each.severity.toUpperCase()],
    })),
  ]
}

function ruleOf({ ruleId, kind, title, help, markdown = help, uri, severity, score, tags }: Row): object {
  return {
    id: ruleId,
    name: kind,
    shortDescription: { text: title },
    fullDescription: { text: title },
    defaultConfiguration: { level: LEVELS[severity] },
    ...(uri === undefined ? {} : { helpUri: uri }),
    help: { text: help, markdown },
    properties: {
      precision: "very-high",
      "security-severity": score === undefined ? SCORES[severity] : score.toFixed(1),
      tags,
    },
  }
}

function resultOf({ ruleId, severity, message, path, place }: Row, ruleIndex: number): object {
  const startLine = Math.max(1, place.startLine ?? 1)
  return {
    ruleId,
    ruleIndex,
    level: LEVELS[severity],
    message: { text: message },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: encodeURI(path.toWellFormed()), uriBaseId: "ROOTPATH" },
          region: { startLine, startColumn: 1, endLine: Math.max(startLine, place.endLine ?? startLine), endColumn: 1 },
        },
        message: { text: path },
      },
    ],
    partialFingerprints: { primaryLocationLineHash: hash("sha256", [ruleId, path, message].join("\0"), "hex") },
  }
}
