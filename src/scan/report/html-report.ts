import { systemName } from "../../sbom/sbom.ts"
import type { Place, ScanReport } from "../scan.ts"
import { cleanMarkup } from "./clean-markup.ts"

/** One page, without script and without anything from elsewhere; all that is a stranger's is escaped. */
export function htmlReport(report: ScanReport): string {
  const { subject, found, createdAt, endOfLife, data, leftOut } = report
  const os = systemName(found.distribution)
  const where = (place: Place): string =>
    `${place.path ?? subject.name}${place.startLine === undefined ? "" : `:${place.startLine}`}`
  const facts = [
    subject.image?.id,
    os && [os.family, os.version].filter(Boolean).join(" "),
    `${found.packages.length} packages`,
    createdAt,
    endOfLife?.message,
  ].filter((each) => each !== undefined)
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>${cleanMarkup(subject.name)}</title>
<style>${STYLE}</style></head><body>
<h1>${cleanMarkup(subject.name)}</h1>
${facts.map((each) => `<p>${cleanMarkup(each)}</p>`).join("\n")}
${table(
  "Vulnerabilities",
  ["Id", "Severity", "Package", "Installed", "Fixed", "Risk", "Title"],
  report.vulnerabilities.map((each) => [
    link(each.id, each.primaryUrl),
    severity(each.severity),
    cleanMarkup(each.package.name),
    cleanMarkup(each.package.version),
    cleanMarkup(each.fixedVersions.join(", ") || each.status.replaceAll("_", " ")),
    cleanMarkup(
      [each.risk === undefined ? "" : String(Math.round(each.risk.score)), ...(each.risk?.reasons ?? [])].join(" "),
    ),
    cleanMarkup(each.title ?? ""),
  ]),
)}
${table(
  "Misconfigurations",
  ["Id", "Severity", "Where", "Message", "Resolution"],
  report.misconfigurations.map((each) => [
    link(each.id, each.references[0]),
    severity(each.severity),
    ...[where(each.place), each.message, each.resolution].map(cleanMarkup),
  ]),
)}
${table(
  "Secrets",
  ["Rule", "Severity", "Where", "Line"],
  report.secrets.map((each) => [
    cleanMarkup(each.ruleId),
    severity(each.severity),
    ...[`${where(each.place)}${each.isDeleted ? " (deleted later)" : ""}`, each.match].map(cleanMarkup),
  ]),
)}
${table(
  "Malware",
  ["Id", "Severity", "Where", "Message"],
  report.malware.map((each) => [
    cleanMarkup(each.id),
    severity(each.severity),
    ...[where(each.place), each.message].map(cleanMarkup),
  ]),
)}
${data.map(({ name, updatedAt }) => `<p>Data: ${cleanMarkup(`${name} ${updatedAt ?? ""}`)}</p>`).join("\n")}
${leftOut.map((what) => `<p>Not looked at: ${cleanMarkup(what)}</p>`).join("\n")}
</body></html>
`
}

const STYLE = `body{font:14px/1.5 system-ui,sans-serif;margin:2rem;color:#222;background:#fff}table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ddd;vertical-align:top;overflow-wrap:anywhere}
.critical,.high{color:#b00020;font-weight:600}.medium{color:#8a5a00}.low,.unknown{color:#555}`

function severity(word: string): string {
  return `<span class="${cleanMarkup(word)}">${cleanMarkup(word)}</span>`
}

/** Only what leads to the web is a link. */
function link(text: string, url: string | undefined): string {
  if (url === undefined || !/^https?:\/\//.test(url)) return cleanMarkup(text)
  return `<a rel="noreferrer" href="${cleanMarkup(url)}">${cleanMarkup(text)}</a>`
}

/** Cells are markup. */
function table(title: string, heads: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return ""
  const lines = rows.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join("")}</tr>`)
  return `<h2>${title} (${rows.length})</h2><table><thead><tr>${heads.map((head) => `<th>${head}</th>`).join("")}</tr></thead><tbody>\n${lines.join("\n")}\n</tbody></table>`
}
