/** What can be asked of an image besides the report: a path's history, a text, a file, another image. */
import { InvalidArgument } from "../../base/errors.ts"
import {
  textDiff,
  type ExploredImage,
  type ImageDifference,
  type PathStep,
  type SharedContent,
} from "../../explore/explore.ts"
import { shownPath } from "../../sbom/sbom.ts"
import { rawName } from "../../sys/fs/raw-name.ts"
import type { Out } from "../out.ts"
import { humanBytes } from "./human-bytes.ts"

/** Of a text that is compared. */
const MAX_TEXT_BYTES = 1 << 20
const LETTERS = { added: "A", modified: "C", removed: "D", same: "=" } as const

/** A path as people type it, raw and relative to the root. Throws InvalidArgument for one that leaves it. */
export function rawPath(text: string): string {
  const parts = rawName(text)
    .split("/")
    .filter((part) => part !== "" && part !== ".")
  if (parts.includes("..")) throw new InvalidArgument(`"${text}" is no path in an image: it has ..`)
  return parts.join("/")
}

/** A layer's number from 0, of one from 1. Throws InvalidArgument. */
export function layerNumber(layer: number, { layers, name }: ExploredImage): number {
  if (layer >= 1 && layer <= layers.length) return layer - 1
  throw new InvalidArgument(`no layer ${layer} is in "${name}", which has ${layers.length}`)
}

/** Exit code 1 when no layer has the path. */
export async function printHistory(out: Out, image: ExploredImage, path: string, signal: AbortSignal): Promise<number> {
  const steps = image.history(path)
  let before: PathStep | undefined
  for (const step of steps) {
    const { layer, change, entry } = step
    const command = image.layers[layer]?.command.replaceAll(/\s+/g, " ") ?? ""
    const about =
      entry === undefined
        ? ""
        : ` ${entry.type} ${entry.mode.toString(8).padStart(4, "0")} ${entry.uid}:${entry.gid} ${humanBytes(entry.sizeBytes)}`
    out.line(`${LETTERS[change]} layer ${layer + 1}:${about}  ${command}`)
    if (entry?.linkTarget) out.line(`    leads to ${shownPath(entry.linkTarget).replace(/^\//, "")}`)
    const attributes = Object.entries(entry?.attributes ?? {})
    for (const [name, value] of attributes) out.line(`    ${name}: ${value}`)
    if (change === "modified" && before !== undefined)
      for (const line of await difference(image, path, before, step, signal)) out.line(`    ${line}`)
    if (entry !== undefined) before = step
  }
  if (steps.length === 0) out.note(`no layer of ${image.name} has ${shownPath(path)}`)
  return steps.length === 0 ? 1 : 0
}

async function difference(
  image: ExploredImage,
  path: string,
  before: PathStep,
  after: PathStep,
  signal: AbortSignal,
): Promise<string[]> {
  if (before.entry?.contentDigest === undefined || after.entry?.contentDigest === undefined) return []
  if (before.entry.contentDigest === after.entry.contentDigest) return ["the same contents"]
  const texts = await Promise.all([before, after].map(({ layer }) => textOf(image, layer, path, signal)))
  const [was, is] = texts
  if (was === undefined || is === undefined) return ["other contents, which are no text or a long one"]
  return textDiff(was, is) ?? ["other contents, too different to be shown"]
}

async function textOf(
  image: ExploredImage,
  layer: number,
  path: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { bytes, sizeBytes } = await image.read(layer, path, { length: MAX_TEXT_BYTES, signal })
  return sizeBytes > MAX_TEXT_BYTES || bytes.includes(0) ? undefined : Buffer.from(bytes).toString("utf8")
}

/** Exit code 1 when nothing was found, as grep(1). */
export async function printMatches(
  out: Out,
  image: ExploredImage,
  text: string,
  { layer, signal }: { layer: number | undefined; signal: AbortSignal },
): Promise<number> {
  let found = 0
  const onSkipped = (path: string) => out.warn(`${shownPath(path)} is too large to be searched`)
  const options = { onSkipped, signal, ...(layer !== undefined && { layer }) }
  for await (const match of image.search(text, options)) {
    found++
    const place = `${shownPath(match.path)} (layer ${match.layer + 1})`
    out.line(
      match.line === undefined ? `${place}: binary, at byte ${match.offset}` : `${place}:${match.line}: ${match.text}`,
    )
  }
  return found === 0 ? 1 : 0
}

/** Says on standard error what was written. */
export async function extract(
  out: Out,
  image: ExploredImage,
  path: string,
  { to, layer, signal }: { to: string; layer: number | undefined; signal: AbortSignal },
): Promise<void> {
  const { files, bytes, leftOut } = await image.extract(path, to, { signal, ...(layer !== undefined && { layer }) })
  for (const one of leftOut) out.warn(`${shownPath(one)} is a device or a pipe, and left out`)
  out.note(`${files} ${files === 1 ? "file" : "files"}, ${humanBytes(bytes)} written to ${to}`)
}

/** One line for each package, after the layer that brought it. */
export async function printPackages(out: Out, image: ExploredImage, format: string | undefined): Promise<void> {
  const layers = await image.packages()
  const rows = layers.flatMap(({ layer, packages }) =>
    packages.map(({ type, name, version }) => ({ Layer: layer + 1, Type: type, Name: name, Version: version })),
  )
  if (format === "json") return out.json(rows)
  if (format !== undefined) {
    const { printDocuments } = await import("../output/document.ts")
    return printDocuments(out, rows, format)
  }
  for (const { layer, packages } of layers) {
    if (packages.length === 0) continue
    const { sizeBytes = 0, command = "" } = image.layers[layer] ?? {}
    out.line(`Layer ${layer + 1} (${humanBytes(sizeBytes)}) ${command.replaceAll(/\s+/g, " ")}`)
    for (const { type, name, version } of packages) out.line(`  ${type}  ${name} ${version}`)
  }
}

/** One line for each content. */
export function printShared(out: Out, contents: readonly SharedContent[]): void {
  for (const { file, images } of contents)
    out.line(`${humanBytes(file.sizeBytes).padStart(8)}  ${shownPath(file.path)}  ${images.join(", ")}`)
}

/** Exit code 1 when they differ, as diff(1). */
export async function printDifferences(
  out: Out,
  before: ExploredImage,
  after: ExploredImage,
  { format, signal }: { format: string | undefined; signal: AbortSignal },
): Promise<number> {
  let found = 0
  const rows: object[] = []
  for await (const one of before.compare(after, { signal })) {
    found++
    if (format === undefined) out.line(differenceLine(one))
    else rows.push(differenceDocument(one))
  }
  if (format === "json") out.json(rows)
  else if (format !== undefined) {
    const { printDocuments } = await import("../output/document.ts")
    printDocuments(out, rows, format)
  }
  return found === 0 ? 0 : 1
}

function differenceLine({ path, change, isDirectory, beforeBytes, afterBytes }: ImageDifference): string {
  const grown = afterBytes - beforeBytes
  const bytes = isDirectory && change === "modified" ? "" : `${grown < 0 ? "-" : "+"}${humanBytes(Math.abs(grown))}`
  return `${LETTERS[change]} ${bytes.padStart(9)}  ${shownPath(path)}${isDirectory ? "/" : ""}`
}

function differenceDocument({ path, change, isDirectory, beforeBytes, afterBytes }: ImageDifference): object {
  return {
    Path: shownPath(path),
    Change: change,
    IsDirectory: isDirectory,
    SizeBefore: beforeBytes,
    SizeAfter: afterBytes,
  }
}
