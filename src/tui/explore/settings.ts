import { readdirSync, readFileSync, statSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import { InvalidArgument } from "../../base/errors.ts"
import { parseYaml } from "../../sys/yaml.ts"
import type { Change } from "../../explore/explore.ts"
import { ACTION_NAMES, makeBindings, OLD_NAMES, type Action, type Bindings } from "./bindings.ts"

/** How the screen of `explore` begins, and what its keys are. */
export interface ExploreSettings {
  bindings: Bindings
  /** Changes that are not shown. */
  hidden: readonly Change[]
  collapseDirectories: boolean
  /** Of the screen's width, the part of the file tree: between 0 and 1. */
  filesWidth: number
  showAttributes: boolean
  showAggregatedChanges: boolean
}

const MAX_BYTES = 1 << 20
const CHANGES: readonly Change[] = ["added", "removed", "modified", "unmodified"]

/** dive's own defaults. */
export function defaultSettings(): ExploreSettings {
  return fromDocuments([])
}

/**
 * Settings from dive's file, the first that there is of those that dive reads, and over them those of ours:
 * `$XDG_CONFIG_HOME/skiff/explore.yaml`, of the same form. Throws InvalidArgument with the file's name for what cannot be.
 */
export function readExploreSettings(env: Readonly<Record<string, string | undefined>> = process.env): ExploreSettings {
  const home = env.HOME || homedir()
  const config = env.XDG_CONFIG_HOME || join(home, ".config")
  const dives = [
    ...yamlFiles(join(config, "dive")),
    ...(env.XDG_CONFIG_DIRS ?? "")
      .split(":")
      .filter(Boolean)
      .flatMap((place) => yamlFiles(join(place, "dive"))),
    ...yamlFiles(join(home, ".config", "dive")),
    join(home, ".dive.yaml"),
    join(home, ".dive.yml"),
  ]
  const ours = [join(config, "skiff", "explore.yaml"), join(config, "skiff", "explore.yml")]
  const files = [firstFile(dives), firstFile(ours)].filter((file) => file !== undefined)
  return fromDocuments(files.map((file) => ({ file, document: readDocument(file) })))
}

interface Source {
  file: string
  document: Readonly<Record<string, unknown>>
}

function fromDocuments(sources: readonly Source[]): ExploreSettings {
  const keys: Partial<Record<Action, string>> = {}
  let settings: Omit<ExploreSettings, "bindings"> = {
    hidden: [],
    collapseDirectories: false,
    filesWidth: 0.5,
    showAttributes: true,
    showAggregatedChanges: false,
  }
  let from = ""
  for (const { file, document } of sources) {
    from = file
    for (const [name, text] of Object.entries(tableOf(document, "keybinding", file))) {
      const action = ACTION_NAMES.find((known) => known === (OLD_NAMES[name] ?? name))
      if (action) keys[action] = textOf(text, `keybinding.${name}`, file)
    }
    const [diff, files, layer] = ["diff", "filetree", "layer"].map((table) => tableOf(document, table, file))
    settings = {
      hidden: diff?.hide === undefined ? settings.hidden : hiddenOf(diff.hide, file),
      collapseDirectories: truth(files, "collapse-dir", settings.collapseDirectories, file),
      filesWidth: files?.["pane-width"] === undefined ? settings.filesWidth : widthOf(files["pane-width"], file),
      showAttributes: truth(files, "show-attributes", settings.showAttributes, file),
      showAggregatedChanges: truth(layer, "show-aggregated-changes", settings.showAggregatedChanges, file),
    }
  }
  try {
    return { ...settings, bindings: makeBindings(keys) }
  } catch (error) {
    throw error instanceof InvalidArgument && from !== "" ? error.restated(`"${from}": ${error.message}`) : error
  }
}

function yamlFiles(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => /\.ya?ml$/.test(name))
      .toSorted()
      .map((name) => join(directory, name))
  } catch {
    return [] // there is none
  }
}

function firstFile(paths: readonly string[]): string | undefined {
  return paths.find((path) => statSync(path, { throwIfNoEntry: false })?.isFile())
}

function readDocument(file: string): Readonly<Record<string, unknown>> {
  if (statSync(file).size > MAX_BYTES)
    throw new InvalidArgument(`"${file}" is larger than 1 MiB: it is no settings file`)
  let document: unknown
  try {
    document = parseYaml(readFileSync(file, "utf8"))
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.split("\n")[0] : String(cause)
    throw new InvalidArgument(`"${file}" is not YAML: ${why}`, { cause })
  }
  if (document === null || document === undefined) return {}
  if (typeof document !== "object" || Array.isArray(document))
    throw new InvalidArgument(`"${file}" is no table of settings`, {
      hint: "expected keybinding:, diff:, filetree:, layer:",
    })
  return document as Record<string, unknown>
}

/** A table, also when its keys are written with dots, as `filetree.pane-width: 0.3`. */
function tableOf(document: Source["document"], name: string, file: string): Record<string, unknown> {
  const table = document[name] ?? {}
  if (typeof table !== "object" || Array.isArray(table)) throw wrong(name, table, "a table", file)
  const dotted = Object.entries(document)
    .filter(([key]) => key.startsWith(`${name}.`))
    .map(([key, value]) => [key.slice(name.length + 1), value])
  return { ...(table as Record<string, unknown>), ...Object.fromEntries(dotted) }
}

function textOf(value: unknown, field: string, file: string): string {
  if (Array.isArray(value)) return value.map((one) => textOf(one, field, file)).join(",")
  if (typeof value === "string" || typeof value === "number") return String(value)
  throw wrong(field, value, 'keys, as "ctrl+f, k"', file)
}

function truth(table: Record<string, unknown> | undefined, key: string, otherwise: boolean, file: string): boolean {
  const value = table?.[key] ?? otherwise
  if (typeof value !== "boolean") throw wrong(key, value, "true or false", file)
  return value
}

function widthOf(value: unknown, file: string): number {
  if (typeof value === "number" && value > 0 && value < 1) return value
  throw wrong("filetree.pane-width", value, "a number between 0 and 1", file)
}

function hiddenOf(value: unknown, file: string): Change[] {
  const words = (Array.isArray(value) ? value : [value])
    .flatMap((one) => (one === null ? [] : String(one).split(",")))
    .map((word) => word.trim().toLowerCase())
    .filter(Boolean)
  return words.map((word) => {
    const change = CHANGES.find((known) => known === word || (word === "unchanged" && known === "unmodified"))
    if (!change) throw wrong("diff.hide", word, CHANGES.join(", "), file)
    return change
  })
}

function wrong(field: string, value: unknown, wanted: string, file: string): InvalidArgument {
  return new InvalidArgument(`"${file}" has ${field}: ${JSON.stringify(value)}`, { field, hint: `expected ${wanted}` })
}
