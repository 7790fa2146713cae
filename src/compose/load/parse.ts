import type { SourceFile } from "../../dockerfile/dockerfile.ts"
import { readYaml, yamlLines, YamlSyntaxError, type YamlMap, type YamlNode } from "../../spec/yaml/read-yaml.ts"
import { fault } from "./fault.ts"
import { MAX_FILE_BYTES } from "./read-file.ts"
import { scalarValue, shortTag } from "../../spec/yaml/scalar-value.ts"
import { setOrigin, showPath, type Origin, type Tree, type TreeMap, type TreePath } from "./tree.ts"

/** A quarter of what go-yaml allows texts that are little else than aliases. */
const MAX_ALIASED_VALUES = 100_000
/** Said without a line by go-yaml. */
const WITHOUT_LINE = /^(?:control characters|unknown anchor|invalid leading)/

/** One document of a file. */
export interface ParsedDocument {
  tree: Tree
  /** Where `!reset` and `!override` stood: what other files say there does not count. */
  resets: TreePath[]
}

/** Documents of a file's bytes. Throws InvalidArgument with the place of the fault. */
export function parseFile(bytes: Uint8Array, name: string): ParsedDocument[] {
  if (bytes.length > MAX_FILE_BYTES)
    throw fault(`failed to parse ${name}: the file has ${bytes.length} bytes, the limit is ${MAX_FILE_BYTES}`)
  const source: SourceFile = { name, text: decoded(bytes, name) }
  try {
    return readYaml(source.text)
      .filter((root, index, all) => root !== undefined || all.length > 1 || index > 0)
      .map((root) => new DocumentReader(source).read(root))
  } catch (error) {
    if (!(error instanceof YamlSyntaxError)) throw error
    const origin = new TextOrigin(source, error.at, error.at)
    const line = WITHOUT_LINE.test(error.message) ? "" : `line ${origin.line}: `
    throw fault(`yaml: ${line}${error.message}`, origin, { cause: error })
  }
}

function decoded(bytes: Uint8Array, name: string): string {
  try {
    return yamlLines(new TextDecoder("utf-8", { fatal: true }).decode(bytes))
  } catch (cause) {
    throw fault("yaml: invalid leading UTF-8 octet", { file: name, line: 1, column: 1 }, { cause })
  }
}

/** Counts lines when it is asked: few values are ever complained of. */
class TextOrigin implements Origin {
  readonly source: SourceFile
  readonly #keyAt: number
  readonly #valueAt: number

  constructor(source: SourceFile, keyAt: number, valueAt: number) {
    this.source = source
    this.#keyAt = keyAt
    this.#valueAt = valueAt
  }

  get file(): string {
    return this.source.name
  }

  get line(): number {
    return this.source.text.slice(0, this.#at).split("\n").length
  }

  get column(): number {
    return this.#at - this.source.text.lastIndexOf("\n", this.#at - 1)
  }

  /** A value that begins on a later line is found by its key. */
  get #at(): number {
    const { text } = this.source
    const lineEnd = text.indexOf("\n", this.#keyAt)
    const at = lineEnd !== -1 && lineEnd < this.#valueAt ? this.#keyAt : this.#valueAt
    return Math.min(at, text.length)
  }
}

/** Makes values of nodes: tags followed, `<<` merged, aliases written out. */
class DocumentReader {
  readonly #source: SourceFile
  readonly #resets: TreePath[] = []
  /** Nodes around the one at hand, with their paths: an alias to one of them has no end. */
  readonly #around = new Map<YamlNode, TreePath>()
  #aliases = 0
  #aliasedValues = 0

  constructor(source: SourceFile) {
    this.#source = source
  }

  read(root: YamlNode | undefined): ParsedDocument {
    const tree = root === undefined ? null : this.#value(root, [])
    return { tree: tree ?? null, resets: this.#resets }
  }

  /** Undefined: `!reset`, nothing stands here. */
  #value(node: YamlNode, path: TreePath): Tree | undefined {
    if (node.kind === "alias") return this.#aliased(node.target, path, node)
    if (node.tag === "!reset" || node.tag === "!override") {
      this.#resets.push(path.filter((key) => key !== "<<"))
      if (node.tag === "!reset") return undefined
    }
    if (this.#aliases > 0 && ++this.#aliasedValues > MAX_ALIASED_VALUES)
      throw this.#fault(`failed to parse ${this.#source.name}: yaml: document contains excessive aliasing`, node)
    if (node.kind === "scalar") {
      const value = scalarValue(node)
      if (value !== undefined) return value
      const tag = shortTag(node.tag ?? "")
      throw this.#fault(
        `failed to parse ${this.#source.name}: yaml: cannot decode !!str \`${node.text}\` as a ${tag}`,
        node,
      )
    }
    this.#around.set(node, path)
    const value = node.kind === "list" ? this.#list(node.items, path) : this.#map(node, path)
    this.#around.delete(node)
    return value
  }

  #aliased(target: YamlNode, path: TreePath, alias: YamlNode): Tree | undefined {
    const around = this.#around.get(target)
    if (around) {
      // docker goes round once before it notices
      const again = [...path, ...path.slice(around.length)]
      const words = `cycle detected: node at path ${again.join(".")} references node at path ${path.join(".")}`
      throw this.#fault(`failed to parse ${this.#source.name}: ${words}`, alias)
    }
    this.#aliases++
    const value = this.#value(target, path)
    this.#aliases--
    return value
  }

  #list(items: readonly YamlNode[], path: TreePath): Tree[] {
    const list: Tree[] = []
    for (const [index, item] of items.entries()) {
      const value = this.#value(item, [...path, index])
      if (value === undefined) continue
      list.push(value)
      setOrigin(list, list.length - 1, new TextOrigin(this.#source, item.at, item.at))
    }
    return list
  }

  #map(node: YamlMap, path: TreePath): TreeMap {
    const map: TreeMap = {}
    const keys = new Map<string, YamlNode>()
    const merges: YamlNode[] = []
    for (const { key, value } of node.pairs) {
      const isMerge = key.kind === "scalar" && key.isPlain && key.text === "<<"
      const name = isMerge ? "<<" : this.#key(key, path)
      const first = keys.get(name)
      if (first) throw this.#duplicate(name, key, first)
      keys.set(name, key)
      if (isMerge) merges.push(value)
      else this.#set(map, name, this.#value(value, [...path, name]), key, value)
    }
    for (const merge of merges) this.#merge(map, keys, merge, path)
    return map
  }

  #set(map: TreeMap, name: string, value: Tree | undefined, key: YamlNode, node: YamlNode): void {
    if (value === undefined) return
    map[name] = value
    setOrigin(map, name, new TextOrigin(this.#source, key.at, node.at))
  }

  /** Of one mapping or a list of such; what the mapping itself or an earlier one says, wins. */
  #merge(map: TreeMap, own: ReadonlyMap<string, YamlNode>, node: YamlNode, path: TreePath): void {
    const target = node.kind === "alias" ? node.target : node
    const sources = target.kind === "list" ? target.items : [node]
    const merged = new Set<string>(own.keys())
    for (const source of sources) {
      const from = source.kind === "alias" ? source.target : source
      if (from.kind !== "map")
        throw this.#fault(
          `failed to parse ${this.#source.name}: yaml: map merge requires map or sequence of maps as the value`,
          source,
        )
      const value = this.#value(source, path)
      if (typeof value !== "object" || value === null) continue
      for (const [name, one] of Object.entries(value as TreeMap)) {
        if (merged.has(name)) continue
        merged.add(name)
        const pair = from.pairs.find(({ key }) => key.kind === "scalar" && key.text === name)
        this.#set(map, name, one, pair?.key ?? from, pair?.value ?? from)
      }
    }
  }

  #key(node: YamlNode, path: TreePath): string {
    const key = node.kind === "alias" ? node.target : node
    if (key.kind !== "scalar")
      throw this.#fault(
        `failed to parse ${this.#source.name}: yaml: invalid map key: a ${key.kind} cannot be one`,
        node,
      )
    const value = scalarValue(key)
    if (typeof value !== "string") {
      const where = path.length === 0 ? "at top level" : `in ${showPath(path)}`
      throw this.#fault(`non-string key ${where}: ${value === null ? "<nil>" : key.text}`, node, `write "${key.text}"`)
    }
    if (value === "__proto__") throw this.#fault(`key "${value}" is not allowed`, node)
    return value
  }

  #duplicate(name: string, second: YamlNode, first: YamlNode): Error {
    const lineOf = ({ at }: YamlNode) => new TextOrigin(this.#source, at, at).line
    const words = `line ${lineOf(second)}: mapping key ${JSON.stringify(name)} already defined at line ${lineOf(first)}`
    return this.#fault(`failed to parse ${this.#source.name}: ${words}`, second)
  }

  #fault(message: string, { at }: YamlNode, hint?: string): Error {
    return fault(message, new TextOrigin(this.#source, at, at), { hint })
  }
}
