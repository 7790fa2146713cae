import { existsSync } from "node:fs"
import { resolve } from "node:path"
import { InvalidArgument, Unsupported } from "../../base/errors.ts"
import { readYaml, yamlLines, type YamlNode, type YamlScalar } from "../../spec/yaml/read-yaml.ts"
import { interpolate } from "../load/interpolate.ts"
import { isRemote } from "../load/remote.ts"
import type { TreeMap } from "../load/tree.ts"
import { newName } from "./new-name.ts"

/** One file, where its names are taken from, and what its variables are. */
interface FileContext {
  path: string
  directory: string
  environment: Readonly<Record<string, string>>
}

/** A file whose names lead to the other files of the artifact. */
export interface RewrittenFile {
  bytes: Buffer
  environmentFiles: string[]
  extendedFiles: string[]
}

/** Where a name stands, and what it is now. */
interface Edit {
  node: YamlScalar
  name: string
}

/**
 * Puts new names in the place of those of env files and of extended files; all else stays as it was written, comments too. Throws InvalidArgument
 * for includes of this machine, Unsupported for a name in a style that cannot be replaced.
 */
export function rewriteFile(read: Buffer, context: FileContext): RewrittenFile {
  const text = yamlLines(read.toString())
  const found: RewrittenFile = { bytes: read, environmentFiles: [], extendedFiles: [] }
  const edits: Edit[] = []
  for (const document of readYaml(text)) {
    refuseIncludes(document, context)
    for (const service of valuesOf(child(document, "services"))) {
      for (const node of environmentFilesOf(service)) {
        const path = resolve(context.directory, interpolated(node.text, context))
        found.environmentFiles.push(path)
        edits.push({ node, name: newName(path, "env") })
      }
      const node = child(child(service, "extends"), "file")
      if (node?.kind !== "scalar" || node.text === "") continue
      const name = interpolated(node.text, context)
      const path = resolve(context.directory, name)
      if (isRemote(name) || !existsSync(path)) continue
      found.extendedFiles.push(path)
      edits.push({ node, name: newName(path, "yaml") })
    }
  }
  if (edits.length > 0) found.bytes = Buffer.from(edited(text, edits, context.path))
  return found
}

function refuseIncludes(document: YamlNode | undefined, context: FileContext): void {
  for (const entry of itemsOf(child(document, "include"))) {
    const path = entry.kind === "map" ? child(entry, "path") : entry
    for (const node of itemsOf(path))
      if (node.kind === "scalar" && !isRemote(interpolated(node.text, context)))
        throw new InvalidArgument("cannot publish compose file with local includes", {
          hint: `${context.path} includes ${node.text}`,
        })
  }
}

function environmentFilesOf(service: YamlNode): YamlScalar[] {
  return itemsOf(child(service, "env_file"))
    .map((entry) => (entry.kind === "map" ? child(entry, "path") : entry))
    .filter((node) => node?.kind === "scalar")
}

function interpolated(text: string, { environment }: FileContext): string {
  const tree: TreeMap = { text }
  interpolate(tree, environment, () => {})
  return String(tree.text)
}

function target(node: YamlNode | undefined): YamlNode | undefined {
  return node?.kind === "alias" ? node.target : node
}

/** The value of a key, aliases followed, also of what is merged in by `<<`. */
function child(node: YamlNode | undefined, key: string): YamlNode | undefined {
  const map = target(node)
  if (map?.kind !== "map") return undefined
  const named = (name: string) =>
    map.pairs.filter((pair) => pair.key.kind === "scalar" && pair.key.text === name).map(({ value }) => value)
  const [own] = named(key)
  if (own !== undefined) return target(own)
  return named("<<")
    .flatMap(itemsOf)
    .map((merged) => child(merged, key))
    .find((value) => value !== undefined)
}

function valuesOf(node: YamlNode | undefined): YamlNode[] {
  const map = target(node)
  return map?.kind === "map" ? map.pairs.map(({ value }) => target(value) ?? value) : []
}

/** Of a list; one that is none is the only item. */
function itemsOf(node: YamlNode | undefined): YamlNode[] {
  const list = target(node)
  if (list === undefined) return []
  return list.kind === "list" ? list.items.map((item) => target(item) ?? item) : [list]
}

/** Anchors and tags before the text itself stay. */
const PROPERTIES = /(?:[&!][^\s]*\s+)*/y
const QUOTED = /"(?:[^"\\]|\\[^])*"|'(?:[^']|'')*'/y

function edited(text: string, edits: readonly Edit[], path: string): string {
  // a name that several services share by an anchor is replaced once
  const byPlace = new Map(edits.map((edit) => [edit.node.at, edit]))
  let result = text
  for (const { node, name } of [...byPlace.values()].toSorted((a, b) => b.node.at - a.node.at)) {
    PROPERTIES.lastIndex = node.at
    const start = node.at + (PROPERTIES.exec(text)?.[0].length ?? 0)
    QUOTED.lastIndex = start
    const written = QUOTED.exec(text)?.[0] ?? node.text
    if (!text.startsWith(written, start))
      throw new Unsupported(`cannot publish ${path}: the file name ${JSON.stringify(node.text)} is on several lines`)
    result = result.slice(0, start) + name + result.slice(start + written.length)
  }
  return result
}
