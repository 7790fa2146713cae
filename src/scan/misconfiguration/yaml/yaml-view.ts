import { readYaml, yamlLines, type YamlNode } from "../../../spec/yaml/read-yaml.ts"

/** A document larger than this was written by no person. */
export const MAX_YAML_BYTES = 4 * 1024 ** 2
const MAX_ALIASES = 20
/** Pairs that are looked at in one text: aliases of aliases make more of a few lines than anybody can count. */
const MAX_PAIRS = 3_000_000

/** A node of a YAML document with its line, to be asked for what it may not have: what is not there is undefined. */
export class YamlView {
  readonly #node: YamlNode
  readonly #lines: LineTable

  constructor(node: YamlNode, lines: LineTable) {
    this.#node = node
    this.#lines = lines
  }

  /** From 1. */
  get line(): number {
    return this.#lines.lineOf(this.#node.at)
  }

  /** Of a scalar. */
  get text(): string | undefined {
    const node = this.#target
    return node?.kind === "scalar" ? node.text : undefined
  }

  get isTrue(): boolean {
    return /^(?:true|yes|on)$/i.test(this.text ?? "")
  }

  get isFalse(): boolean {
    return /^(?:false|no|off)$/i.test(this.text ?? "")
  }

  /** Of a scalar that is one. */
  get number(): number | undefined {
    const { text } = this
    return text !== undefined && /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) : undefined
  }

  /** Of a list; empty of all else. */
  get items(): YamlView[] {
    const node = this.#target
    return node?.kind === "list" ? node.items.map((item) => new YamlView(item, this.#lines)) : []
  }

  /** Pairs of a mapping in order, those that it merges first; empty of all else. */
  get entries(): [key: string, value: YamlView][] {
    return this.#pairs(0)
  }

  /** The value below some keys. */
  get(key: string, ...more: readonly string[]): YamlView | undefined {
    const view = this.entries.findLast(([name]) => name === key)?.[1]
    const [next, ...rest] = more
    return next === undefined ? view : view?.get(next, ...rest)
  }

  get isList(): boolean {
    return this.#target?.kind === "list"
  }

  get isMap(): boolean {
    return this.#target?.kind === "map"
  }

  get #target(): YamlNode | undefined {
    let node: YamlNode = this.#node
    for (let count = 0; node.kind === "alias"; count++) {
      if (count > MAX_ALIASES) return undefined
      node = node.target
    }
    return node
  }

  #pairs(depth: number): [string, YamlView][] {
    const node = this.#target
    if (node?.kind !== "map" || depth > MAX_ALIASES) return []
    this.#lines.spend(node.pairs.length + 1)
    const merged: [string, YamlView][] = []
    const own: [string, YamlView][] = []
    for (const { key, value } of node.pairs) {
      if (key.kind !== "scalar") continue
      const view = new YamlView(value, this.#lines)
      if (key.text !== "<<") own.push([key.text, view])
      else for (const one of view.isList ? view.items : [view]) merged.push(...one.#pairs(depth + 1))
    }
    return [...merged, ...own]
  }
}

/** Lines by offsets, and how much was looked at. */
export class LineTable {
  readonly #starts: number[] = [0]
  #left = MAX_PAIRS

  constructor(text: string) {
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) this.#starts.push(at + 1)
  }

  /** Throws RangeError when more is looked at than a text may ask for. */
  spend(pairs: number): void {
    this.#left -= pairs
    if (this.#left < 0) throw new RangeError("it has too many aliases")
  }

  lineOf(offset: number): number {
    let [low, high] = [0, this.#starts.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#starts[middle] ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    return low + 1
  }
}

/** The documents of a text. Throws YamlSyntaxError. */
export function yamlViews(text: string): YamlView[] {
  const lines = yamlLines(text)
  const table = new LineTable(lines)
  return readYaml(lines).flatMap((node) => (node === undefined ? [] : [new YamlView(node, table)]))
}
