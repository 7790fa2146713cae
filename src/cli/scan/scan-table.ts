import { printable } from "../../base/printable.ts"
import {
  SEVERITIES,
  type Misconfiguration,
  type ReportOptions,
  type ScanReport,
  type Severity,
  type Vulnerability,
} from "../../scan/scan.ts"
import { groupPackages, systemName } from "../../sbom/sbom.ts"
import { alignCells } from "../output/columns.ts"
import { fitColumns } from "../output/fit-columns.ts"
import { fixCommands } from "./fix-commands.ts"

/** What the report shows besides. `showLayers`: which one brought a package. */
export interface TableOptions extends ReportOptions {
  showLayers?: boolean
}

/** The report for people: what was found, worst first, and what mends it. */
export function scanTable(report: ScanReport, options: TableOptions, columns: number | undefined): string {
  const { found, subject, endOfLife, data, leftOut, scanners } = report
  const os = systemName(found.distribution)
  const lines = [
    `${shown(subject.name)}${os === undefined ? "" : ` (${shown([os.family, os.version].filter(Boolean).join(" "))})`}: ${counted(found.packages.length, "package")}`,
  ]
  if (endOfLife !== undefined) lines.push("", shown(endOfLife.message))
  if (options.listAllPackages === true) lines.push("", ...packageTable(report, options, columns))
  if (scanners.includes("vuln")) lines.push("", ...vulnerabilityTable(report, options, columns))
  if (scanners.includes("misconfig")) lines.push("", ...misconfigurationTable(report.misconfigurations, columns))
  if (scanners.includes("secret")) lines.push("", ...secretTable(report, columns))
  if (scanners.includes("malware") && report.malware.length > 0) lines.push("", ...malwareTable(report, columns))
  if (scanners.includes("license")) lines.push("", ...licenseTable(report, columns))
  if (options.showIgnored === true && report.ignored.length > 0) lines.push("", ...ignoredTable(report, columns))
  const commands = fixCommands(report)
  if (commands.length > 0) lines.push("", "To mend what can be mended:", ...commands.map((each) => `  ${shown(each)}`))
  if (data.length + leftOut.length > 0) lines.push("")
  for (const { name, updatedAt } of data)
    lines.push(
      `Data: ${shown(name)}${updatedAt === undefined ? "" : `, of ${shown(updatedAt.slice(0, 10))} (${ageOf(updatedAt, report.createdAt)})`}`,
    )
  for (const what of leftOut) lines.push(`Not looked at: ${shown(what)}`)
  return `${lines.join("\n")}\n`
}

function vulnerabilityTable(report: ScanReport, { showLayers }: TableOptions, columns: number | undefined): string[] {
  const { vulnerabilities } = report
  if (vulnerabilities.length === 0) return ["No vulnerabilities found."]
  const rows = vulnerabilities.map((each) => [
    each.id,
    each.severity.toUpperCase(),
    each.package.name,
    each.package.version,
    each.fixedVersions.join(", ") || `(${each.status.replaceAll("_", " ")})`,
    riskOf(each),
    ...(showLayers === true ? [layerName(report, each.package.layer?.diffId)] : [each.title ?? ""]),
  ])
  return [
    `${counted(vulnerabilities.length, "vulnerability", "vulnerabilities")} (${tally(vulnerabilities)})`,
    ...table(
      ["ID", "SEVERITY", "PACKAGE", "INSTALLED", "FIXED", "RISK", showLayers === true ? "LAYER" : "TITLE"],
      rows,
      columns,
    ),
  ]
}

function riskOf({ risk, knownExploited }: Vulnerability): string {
  return `${risk === undefined ? "" : Math.round(risk.score)}${knownExploited === undefined ? "" : " exploited"}`.trim()
}

function misconfigurationTable(list: readonly Misconfiguration[], columns: number | undefined): string[] {
  if (list.length === 0) return ["No misconfigurations found."]
  return [
    `${counted(list.length, "misconfiguration")} (${tally(list)})`,
    ...table(
      ["ID", "SEVERITY", "WHERE", "MESSAGE"],
      list.map((each) => [each.id, each.severity.toUpperCase(), placeOf(each), each.message]),
      columns,
    ),
  ]
}

function secretTable({ secrets }: ScanReport, columns: number | undefined): string[] {
  if (secrets.length === 0) return ["No secrets found."]
  return [
    `${counted(secrets.length, "secret")} (${tally(secrets)})`,
    ...table(
      ["RULE", "SEVERITY", "WHERE", "LINE"],
      secrets.map((each) => [
        each.ruleId,
        each.severity.toUpperCase(),
        `${placeOf(each)}${each.isDeleted ? " (deleted later, still in the image)" : ""}`,
        each.match.trim().slice(0, 100),
      ]),
      columns,
    ),
  ]
}

function malwareTable({ malware }: ScanReport, columns: number | undefined): string[] {
  return [
    `${malware.length === 1 ? "1 file that does harm, or differs from its package" : `${malware.length} files that do harm, or differ from their package`} (${tally(malware)})`,
    ...table(
      ["ID", "SEVERITY", "WHERE", "MESSAGE"],
      malware.map((each) => [each.id, each.severity.toUpperCase(), placeOf(each), each.message]),
      columns,
    ),
  ]
}

/** `2/3 RUN apt-get install nginx`: of the image's layers, from the ground up; empty where nobody knows. */
function layerName({ subject: { layers } }: ScanReport, diffId: string | undefined): string {
  const index = layers.findIndex((layer) => layer.diffId === diffId)
  const { file, line } = layers[index]?.dockerfile ?? {}
  const at = file === undefined ? "" : `${file}:${line} `
  const madeBy = (layers[index]?.createdBy ?? "").replace(/ # buildkit$/, "").replace(/^(RUN )?\/bin\/sh -c /, "RUN ")
  return index < 0 ? "" : `${index + 1}/${layers.length} ${at}${madeBy}`.trim()
}

function packageTable(report: ScanReport, { showLayers }: TableOptions, columns: number | undefined): string[] {
  const { found, subject } = report
  const lines: string[] = []
  for (const { target, type, packages } of groupPackages(found, subject.name))
    lines.push(
      "",
      `${shown(target)} (${shown(type)}): ${counted(packages.length, "package")}`,
      ...table(
        ["PACKAGE", "VERSION", "LICENSE", showLayers === true ? "LAYER" : "FOUND IN"],
        packages.map((each) => [
          each.name,
          each.epoch === undefined ? each.version : `${each.epoch}:${each.version}`,
          each.license ?? "",
          showLayers === true ? layerName(report, each.layer) : each.foundIn,
        ]),
        columns,
      ),
    )
  return lines.slice(1)
}

function licenseTable({ found }: ScanReport, columns: number | undefined): string[] {
  const counts = new Map<string, number>()
  for (const { license = "(not said)" } of found.packages) counts.set(license, (counts.get(license) ?? 0) + 1)
  const rows = [...counts].toSorted(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
  return table(
    ["LICENSE", "PACKAGES"],
    rows.map(([license, count]) => [license, String(count)]),
    columns,
  )
}

function ignoredTable({ ignored }: ScanReport, columns: number | undefined): string[] {
  return [
    `${counted(ignored.length, "vulnerability", "vulnerabilities")} ignored`,
    ...table(
      ["ID", "SEVERITY", "PACKAGE", "BY", "STATEMENT"],
      ignored.map(({ id, severity, package: { name }, ignoredBy }) => [
        id,
        severity.toUpperCase(),
        name,
        `${ignoredBy?.kind ?? ""} ${ignoredBy?.source ?? ""}`.trim(),
        ignoredBy?.statement ?? ignoredBy?.status ?? "",
      ]),
      columns,
    ),
  ]
}

function table(titles: readonly string[], rows: readonly (readonly string[])[], columns: number | undefined): string[] {
  const cells = [titles, ...rows.map((row) => row.map(shown))]
  if (columns === undefined) return alignCells(cells).map((line) => line.trimEnd())
  return fitColumns(
    cells.map((row) => row.join("\t")),
    columns,
  )
}

/** A name of a stranger's, on one line. */
function shown(text: string): string {
  return printable(text.replaceAll(/[\t\r\n]+/g, " "))
}

/** Where there is no path: of a container how it is run, or its image. */
function placeOf({ place: { path, startLine }, kind }: Pick<Misconfiguration, "place"> & { kind?: string }): string {
  return `${path ?? (kind === "container" ? "container" : "image")}${startLine === undefined ? "" : `:${startLine}`}`
}

function tally(list: readonly { severity: Severity }[]): string {
  return SEVERITIES.toReversed()
    .flatMap((severity) => {
      const count = list.filter((each) => each.severity === severity).length
      return count === 0 ? [] : [`${count} ${severity}`]
    })
    .join(", ")
}

function counted(count: number, one: string, more = `${one}s`): string {
  return `${count} ${count === 1 ? one : more}`
}

function ageOf(updatedAt: string, now: string): string {
  const days = Math.floor((Date.parse(now) - Date.parse(updatedAt)) / 86_400_000)
  return days <= 0 ? "today" : days === 1 ? "1 day old" : `${days} days old`
}
