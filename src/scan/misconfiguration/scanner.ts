import { shownPath } from "../../sbom/sbom.ts"
import { checkConfigFile, configFileKind, MAX_CONFIG_FILE_BYTES } from "./check-file.ts"
import { checkImageConfig } from "./image-rules.ts"
import { checkImageFiles } from "./image-files.ts"
import { checkSettings } from "./container/check-settings.ts"
import { settingsOfContainer } from "./container/settings-of-container.ts"
import { placeLayer } from "../place-layer.ts"
import { skippedPaths } from "../skipped.ts"
import type { Misconfiguration, Scanner, ScanSubject } from "../scan.ts"

/** More files of YAML than this are no configuration. */
const MAX_CONFIG_FILES = 20_000
const MAX_FINDINGS = 50_000
const MAX_TOLD = 1_000
/** Of packages, not of who wrote this. */
const OTHERS = /(?:^|\/)(?:node_modules|\.git|\.terraform|vendor)\//

/** What an image, a container, or the files of a directory break. */
export const misconfigurationScanner: Scanner = async (subject, options) => {
  const isSkipped = skippedPaths(options)
  const leftOut: string[] = []
  const findings: Misconfiguration[] = []
  const { image, container, tree } = subject
  // what a tag says of an archive is the archive's name
  if (image !== undefined) findings.push(...checkImageConfig(image.config, subject.kind === "image" ? image.tags : []))
  if (container !== undefined) findings.push(...checkSettings(settingsOfContainer(container), "container"))
  if (tree !== undefined && image !== undefined)
    findings.push(
      ...checkImageFiles(tree, { placeOf: (path) => placeOf(subject, path), isSkipped, signal: options.signal }),
    )
  if (tree !== undefined && subject.kind === "directory")
    for (const each of configFiles(subject, isSkipped, leftOut, options.signal)) findings.push(each)
  return { findings, leftOut }
}

function configFiles(
  { tree }: ScanSubject,
  isSkipped: (path: string) => boolean,
  leftOut: string[],
  signal?: AbortSignal,
): Misconfiguration[] {
  const findings: Misconfiguration[] = []
  let count = 0
  const unknown = new Map<string, { first: string; count: number }>()
  for (const entry of tree?.walk() ?? []) {
    signal?.throwIfAborted()
    const language = entry.isDirectory || OTHERS.test(entry.path) ? undefined : withoutRules(entry.name)
    if (language !== undefined && !isSkipped(entry.path)) {
      const known = unknown.get(language)
      if (known === undefined) unknown.set(language, { first: shownPath(entry.path), count: 1 })
      else known.count++
    }
    const kind = entry.isDirectory ? undefined : configFileKind(entry.name)
    if (kind === undefined || OTHERS.test(entry.path) || isSkipped(entry.path)) continue
    if (++count > MAX_CONFIG_FILES) {
      leftOut.push(`all but the first ${MAX_CONFIG_FILES} files of configuration`)
      break
    }
    const path = shownPath(entry.path)
    const bytes = entry.read(MAX_CONFIG_FILE_BYTES)
    if (bytes === undefined) continue
    const { found, unread } = checkConfigFile(kind, bytes.toString("utf8"), path)
    for (const each of found) findings.push(each)
    if (unread !== undefined && leftOut.length < MAX_TOLD) leftOut.push(`${path}: ${unread}`)
    if (findings.length > MAX_FINDINGS) {
      leftOut.push(`files of configuration after ${path}: so many faults are enough`)
      break
    }
  }
  for (const [language, { first, count: many }] of unknown)
    leftOut.push(`${first}${many > 1 ? ` and ${many - 1} more` : ""}: there are no rules for ${language}`)
  return findings
}

/** What others have rules for, by its name: it is told that it was not looked at. */
function withoutRules(name: string): string | undefined {
  if (/\.(?:tf|tf\.json|tfvars|tofu)$/i.test(name)) return "Terraform"
  if (/^Chart\.ya?ml$/.test(name)) return "charts of Helm: give the YAML that 'helm template' writes"
  if (/\.bicep$/i.test(name)) return "Bicep"
  return undefined
}

/** The layer of a path, as findings tell of it. */
export function placeOf(subject: ScanSubject, path: string): Pick<Misconfiguration["place"], "layer"> {
  const layer = subject.layerOf(path)
  return layer === undefined ? {} : { layer: placeLayer(layer) }
}
