import type { Duplicate, ExploredImage, ExploredLayer, Figures, FoundFile } from "../../explore/explore.ts"
import { shownPath } from "../../sbom/sbom.ts"
import { printable } from "../../base/printable.ts"
import { humanBytes } from "./human-bytes.ts"

/** How many rows each list of a report has. */
export const REPORT_ROWS = 20
const MAX_COMMAND = 100

/** All that a report says of an image. */
export interface Report {
  image: ExploredImage
  figures: Figures
  largest: readonly FoundFile[]
  duplicates: readonly Duplicate[]
}

/** Reads what reports say; without `files` the lists of files are empty. */
export async function readReport(image: ExploredImage, files: boolean, signal?: AbortSignal): Promise<Report> {
  const figures = await image.figures({ signal })
  if (!files) return { image, figures, largest: [], duplicates: [] }
  const largest = await image.largest(REPORT_ROWS, { signal })
  const duplicates = await image.duplicates(REPORT_ROWS, { signal })
  return { image, figures, largest, duplicates }
}

/** As plain text. */
export function reportText({ image, figures, largest, duplicates }: Report): string {
  const lines = [
    `Image name:             ${image.name}`,
    `Image id:               ${image.id}`,
    ...(image.tags.length > 0 ? [`Tags:                   ${image.tags.join(", ")}`] : []),
    `Platform:               ${image.platform}`,
    `Total Image size:       ${humanBytes(figures.sizeBytes)}`,
    `Potential wasted space: ${humanBytes(figures.wastedBytes)}`,
    `Image efficiency score: ${Math.floor(figures.efficiency * 100)} %`,
    "",
    "Layers:",
    `  ${"#".padStart(3)}  ${"Size".padStart(8)}  Command`,
    ...image.layers.map(
      ({ index, sizeBytes, command, dockerfileLine }) =>
        `  ${String(index + 1).padStart(3)}  ${humanBytes(sizeBytes).padStart(8)}  ${madeBy(dockerfileLine)}${oneLine(command)}`,
    ),
  ]
  const list = (title: string, head: string, rows: readonly string[], all: number) => {
    if (rows.length === 0) return
    lines.push("", `${title}:`, `  ${head}`, ...rows.map((row) => `  ${row}`))
    if (all > rows.length) lines.push(`  and ${all - rows.length} more`)
  }
  list(
    "Paths in several layers",
    `${"Count".padStart(5)}  ${"Total".padStart(8)}  Path`,
    figures.inefficiencies
      .slice(0, REPORT_ROWS)
      .map(
        ({ count, sizeBytes, path }) =>
          `${String(count).padStart(5)}  ${humanBytes(sizeBytes).padStart(8)}  ${shownPath(path)}`,
      ),
    figures.inefficiencies.length,
  )
  list(
    "Largest files",
    `${"Layer".padStart(5)}  ${"Size".padStart(8)}  Path`,
    largest.map(
      ({ layer, sizeBytes, path }) =>
        `${String(layer + 1).padStart(5)}  ${humanBytes(sizeBytes).padStart(8)}  ${shownPath(path)}`,
    ),
    0,
  )
  list(
    "The same content several times",
    `${"Count".padStart(5)}  ${"Size".padStart(8)}  Paths`,
    duplicates.map(
      ({ count, sizeBytes, files }) =>
        `${String(count).padStart(5)}  ${humanBytes(sizeBytes).padStart(8)}  ${namesOf(files)}${count > files.length ? " …" : ""}`,
    ),
    0,
  )
  return printable(lines.join("\n"))
}

/** As a document for `--format`. */
export function reportDocument({ image, figures, largest, duplicates }: Report): object {
  return {
    Name: image.name,
    ID: image.id,
    Tags: image.tags,
    Platform: image.platform,
    Size: figures.sizeBytes,
    UserBytes: figures.userBytes,
    WastedBytes: figures.wastedBytes,
    WastedUserPercent: Number.isFinite(figures.wastedUserPercent) ? figures.wastedUserPercent : null,
    Efficiency: figures.efficiency,
    Layers: image.layers.map(
      ({ index, id, diffId, digest, sizeBytes, entries, command, createdAt, dockerfileLine }) => ({
        Index: index + 1,
        ID: id,
        DiffID: diffId,
        Digest: digest ?? "",
        Size: sizeBytes,
        Entries: entries,
        Command: command,
        CreatedAt: createdAt?.toISOString() ?? "",
        DockerfileLine: dockerfileLine === undefined ? null : { File: dockerfileLine.file, Line: dockerfileLine.line },
      }),
    ),
    Inefficiencies: figures.inefficiencies.map(({ path, count, sizeBytes }) => ({
      Path: shownPath(path),
      Count: count,
      Size: sizeBytes,
    })),
    LargestFiles: largest.map((one) => fileDocument(one)),
    Duplicates: duplicates.map(({ contentDigest, sizeBytes, count, files }) => ({
      Digest: `sha256:${contentDigest}`,
      Size: sizeBytes,
      Count: count,
      Files: files.map((one) => fileDocument(one)),
    })),
    Notes: image.notes,
  }
}

function fileDocument({ layer, path, sizeBytes }: FoundFile): object {
  return { Layer: layer + 1, Path: shownPath(path), Size: sizeBytes }
}

function namesOf(files: readonly FoundFile[]): string {
  return files.map(({ layer, path }) => `${layer + 1}:${shownPath(path)}`).join("  ")
}

/** The line of a Dockerfile that made a layer, where it is known. */
export function madeBy(line: ExploredLayer["dockerfileLine"]): string {
  return line === undefined ? "" : `${line.file}:${line.line}: `
}

function oneLine(command: string): string {
  const line = command.replaceAll(/\s+/g, " ").trim()
  return line.length > MAX_COMMAND ? `${line.slice(0, MAX_COMMAND - 1)}…` : line
}
