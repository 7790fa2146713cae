import { InvalidArgument } from "../../base/errors.ts"
import { readYaml, yamlLines, YamlSyntaxError, type YamlMap, type YamlNode } from "../../spec/yaml/read-yaml.ts"
import { scalarValue } from "../../spec/yaml/scalar-value.ts"

/** What JSON can say. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** One document of a text: what it says, of which nothing is believed yet. */
export interface KubeDocument {
  value: Json
  /** `pod.yaml:12`: where it begins. */
  place: string
}

/** Of one text: two thousand of the largest Deployments that people write. */
const MAX_BYTES = 8 * 1024 ** 2
const MAX_DOCUMENTS = 1000
/** Aliases written out; a quarter of what go-yaml allows. */
const MAX_ALIASED_VALUES = 100_000

/**
 * Documents of a YAML or JSON text, `List` objects taken apart, empty ones left out. `name`: what errors call the text. Throws
 * InvalidArgument with the line for what is no YAML, has no end, or is too much.
 */
export function readDocuments(bytes: Uint8Array, name: string): KubeDocument[] {
  if (bytes.length > MAX_BYTES)
    throw new InvalidArgument(`${name} has ${bytes.length} bytes, the limit is ${MAX_BYTES}`, { hint: "split it" })
  const text = decoded(bytes, name)
  const lineOf = (at: number): number => text.slice(0, at).split("\n").length
  try {
    const reader = new ValueReader()
    const documents = readYaml(text).flatMap((root) =>
      root === undefined ? [] : [{ value: reader.read(root), place: `${name}:${lineOf(root.at)}` }],
    )
    const all = documents.flatMap(listItems).filter(({ value }) => value !== null)
    if (all.length > MAX_DOCUMENTS)
      throw new InvalidArgument(`${name} has ${all.length} objects, the limit is ${MAX_DOCUMENTS}`, {
        hint: "split it",
      })
    return all
  } catch (cause) {
    if (!(cause instanceof YamlSyntaxError)) throw cause
    throw new InvalidArgument(`multi doc yaml could not be split: yaml: line ${lineOf(cause.at)}: ${cause.message}`, {
      hint: `see ${name}:${lineOf(cause.at)}`,
      cause,
    })
  }
}

function decoded(bytes: Uint8Array, name: string): string {
  try {
    return yamlLines(new TextDecoder("utf-8", { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new InvalidArgument(`${name} is no text in UTF-8`, { cause })
  }
}

/** The objects of a `v1` List, or the object itself. */
function listItems({ value, place }: KubeDocument): KubeDocument[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [{ value, place }]
  if (value["kind"] !== "List" || value["items"] === undefined) return [{ value, place }]
  if (!Array.isArray(value["items"])) throw new InvalidArgument(`${place}: items of a List must be a list`)
  return value["items"].map((item, index) => ({ value: item, place: `${place} (items[${index}])` }))
}

/** Makes values of nodes, aliases written out, `<<` merged. */
class ValueReader {
  /** Those around the one at hand: an alias to one of them has no end. */
  readonly #around = new Set<YamlNode>()
  #aliases = 0
  #aliasedValues = 0

  read(node: YamlNode): Json {
    if (node.kind === "alias") return this.#aliased(node.target, node)
    if (this.#aliases > 0 && ++this.#aliasedValues > MAX_ALIASED_VALUES)
      throw new YamlSyntaxError("document contains excessive aliasing", node.at)
    if (node.kind === "scalar") return jsonScalar(scalarValue(node), node.text)
    this.#around.add(node)
    const value = node.kind === "list" ? node.items.map((item) => this.read(item)) : this.#map(node)
    this.#around.delete(node)
    return value
  }

  #aliased(target: YamlNode, alias: YamlNode): Json {
    if (this.#around.has(target)) throw new YamlSyntaxError("anchor contains itself", alias.at)
    this.#aliases++
    const value = this.read(target)
    this.#aliases--
    return value
  }

  #map(node: YamlMap): Json {
    const own = new Map<string, Json>()
    const merged = new Map<string, Json>()
    for (const { key, value } of node.pairs) {
      const name = key.kind === "alias" ? key.target : key
      if (name.kind !== "scalar") throw new YamlSyntaxError("a key must be a text", key.at)
      if (name.isPlain && name.text === "<<") {
        for (const [mergedKey, one] of Object.entries(this.#merge(value))) merged.set(mergedKey, one)
        continue
      }
      if (own.has(name.text)) throw new YamlSyntaxError(`mapping key "${name.text}" already defined`, key.at)
      own.set(name.text, this.read(value))
    }
    // `fromEntries` makes a key of `__proto__`, and no prototype
    return Object.fromEntries([...merged, ...own])
  }

  #merge(node: YamlNode): Record<string, Json> {
    const value = this.read(node)
    const maps = Array.isArray(value) ? value.toReversed() : [value]
    const entries = maps.flatMap((one) => {
      if (typeof one !== "object" || one === null || Array.isArray(one))
        throw new YamlSyntaxError("map merge requires map or sequence of maps as the value", node.at)
      return Object.entries(one)
    })
    return Object.fromEntries(entries)
  }
}

/** Times are texts in JSON, and a number that it cannot hold stays as it was written. */
function jsonScalar(value: ReturnType<typeof scalarValue>, text: string): Json {
  if (typeof value === "number" && !Number.isFinite(value)) return text
  if (value === undefined || value instanceof Date || typeof value === "bigint") return text
  return value
}
