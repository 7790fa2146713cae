import { escapeMarkup } from "../../base/escape-markup.ts"
import { printable } from "../../base/printable.ts"
import { shownPath } from "../../sbom/sbom.ts"
import { humanBytes } from "./human-bytes.ts"
import { madeBy, type Report } from "./report.ts"

const STYLE = `
body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}
h1{font-size:1.5rem;overflow-wrap:anywhere}h2{font-size:1.1rem;margin-top:2rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.25rem .6rem;border-bottom:1px solid #d5dae1;vertical-align:top}
td.n,th.n{text-align:right;white-space:nowrap}td.p{font-family:ui-monospace,monospace;font-size:13px;overflow-wrap:anywhere}
.bar{background:#3b6fb6;height:.7rem;min-width:1px;border-radius:2px}
.figures{display:flex;flex-wrap:wrap;gap:1rem}.figures div{border:1px solid #d5dae1;border-radius:6px;padding:.6rem 1rem}
.figures b{display:block;font-size:1.3rem}input{font:inherit;padding:.3rem .5rem;width:100%;max-width:24rem}
@media(prefers-color-scheme:dark){body{background:#14171b;color:#e6e9ee}th,td,.figures div{border-color:#343b45}.bar{background:#6ea0e0}}`

/** Rows are hidden that do not have the text. */
const SCRIPT = `document.querySelector("input").addEventListener("input",e=>{const t=e.target.value.toLowerCase();
for(const r of document.querySelectorAll("tbody tr"))r.hidden=!r.textContent.toLowerCase().includes(t)})`

/**
 * The report as one web page, which loads nothing: a browser that keeps to its policy would not let it. What is a stranger's in it is text.
 */
export function reportHtml({ image, figures, largest, duplicates }: Report): string {
  const most = Math.max(1, ...image.layers.map(({ sizeBytes }) => sizeBytes))
  const layers = image.layers.map(({ index, sizeBytes, entries, command, dockerfileLine }) => [
    number(index + 1),
    number(humanBytes(sizeBytes)),
    `<td><div class="bar" style="width:${((sizeBytes / most) * 100).toFixed(1)}%"></div></td>`,
    number(entries),
    path(madeBy(dockerfileLine) + command),
  ])
  const inefficient = figures.inefficiencies
    .slice(0, 1000)
    .map((one) => [number(one.count), number(humanBytes(one.sizeBytes)), path(shownPath(one.path))])
  const files = largest.map((one) => [
    number(one.layer + 1),
    number(humanBytes(one.sizeBytes)),
    path(shownPath(one.path)),
  ])
  const same = duplicates.map(({ count, sizeBytes, files: places }) => [
    number(count),
    number(humanBytes(sizeBytes)),
    path(places.map((place) => `${place.layer + 1}: ${shownPath(place.path)}`).join("\n")),
  ])
  const policy =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; form-action 'none'; base-uri 'none'"
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${escaped(image.name)}</title><style>${STYLE}</style></head><body>
<h1>${escaped(image.name)}</h1><p class="p">${escaped([image.id, image.platform, ...image.tags].join(" · "))}</p>
<div class="figures"><div>Size<b>${humanBytes(figures.sizeBytes)}</b></div><div>Wasted<b>${humanBytes(figures.wastedBytes)}</b></div>
<div>Efficiency<b>${(figures.efficiency * 100).toFixed(2)} %</b></div><div>Layers<b>${image.layers.length}</b></div></div>
<p><input type="search" placeholder="Show only rows with …" aria-label="Show only rows with this text"></p>
${table("Layers", ["#", "Size", "", "Entries", "Command"], layers)}
${table("Paths in several layers", ["Count", "Total space", "Path"], inefficient)}
${table("Largest files", ["Layer", "Size", "Path"], files)}
${table("The same content several times", ["Count", "Size", "Layer: path"], same)}
<script>${SCRIPT}</script></body></html>
`
}

function table(title: string, heads: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return ""
  const head = heads.map((one) => `<th>${one}</th>`).join("")
  return `<h2>${title}</h2><table><thead><tr>${head}</tr></thead><tbody>${rows.map((row) => `<tr>${row.join("")}</tr>`).join("\n")}</tbody></table>`
}

function number(value: number | string): string {
  return `<td class="n">${value}</td>`
}

function path(text: string): string {
  return `<td class="p">${escaped(text).replaceAll("\n", "<br>")}</td>`
}

function escaped(text: string): string {
  return escapeMarkup(printable(text))
}
