import { printable } from "../../base/printable.ts"
import { shownPath } from "../../sbom/sbom.ts"
import { humanBytes } from "./human-bytes.ts"
import { madeBy, REPORT_ROWS, type Report } from "./report.ts"

/** The report as Markdown; what is a stranger's in it is text, whatever it says. */
export function reportMarkdown({ image, figures, largest, duplicates }: Report): string {
  const lines = [
    `# ${escaped(image.name)}`,
    "",
    "| | |",
    "| --- | --- |",
    row("Image id", image.id),
    row("Platform", image.platform),
    ...(image.tags.length > 0 ? [row("Tags", image.tags.join(", "))] : []),
    row("Size", `${humanBytes(figures.sizeBytes)} (${figures.sizeBytes} bytes)`),
    row("Wasted", `${humanBytes(figures.wastedBytes)} (${figures.wastedBytes} bytes)`),
    row("Efficiency", `${(figures.efficiency * 100).toFixed(2)} %`),
  ]
  table(
    "Layers",
    ["#", "Size", "Entries", "Command"],
    image.layers.map(({ index, sizeBytes, entries, command, dockerfileLine }) => [
      `${index + 1}`,
      humanBytes(sizeBytes),
      `${entries}`,
      madeBy(dockerfileLine) + command,
    ]),
  )
  table(
    "Paths in several layers",
    ["Count", "Total space", "Path"],
    figures.inefficiencies
      .slice(0, REPORT_ROWS)
      .map(({ count, sizeBytes, path }) => [`${count}`, humanBytes(sizeBytes), shownPath(path)]),
  )
  table(
    "Largest files",
    ["Layer", "Size", "Path"],
    largest.map(({ layer, sizeBytes, path }) => [`${layer + 1}`, humanBytes(sizeBytes), shownPath(path)]),
  )
  table(
    "The same content several times",
    ["Count", "Size", "Layer: path"],
    duplicates.map(({ count, sizeBytes, files }) => [
      `${count}`,
      humanBytes(sizeBytes),
      files.map(({ layer, path }) => `${layer + 1}: ${shownPath(path)}`).join("  "),
    ]),
  )
  return `${lines.join("\n")}\n`

  function table(title: string, heads: readonly string[], rows: readonly (readonly string[])[]): void {
    if (rows.length === 0) return
    lines.push("", `## ${title}`, "", row(...heads), row(...heads.map(() => "---")), ...rows.map((one) => row(...one)))
  }
}

function row(...cells: readonly string[]): string {
  return `| ${cells.map((cell) => (cell === "---" ? cell : escaped(cell))).join(" | ")} |`
}

/** Neither markup nor HTML nor the end of a cell. */
function escaped(text: string): string {
  return printable(text)
    .replaceAll(/\s+/g, " ")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(/[\\`*_{}[\]()#+!|~>]/g, String.raw`\$&`)
}
