import { InvalidArgument } from "../../base/errors.ts"
import type { Expression } from "../../base/linear-expression.ts"
import { TimeSlice } from "../../base/time-slice.ts"
import { shownPath } from "../../sbom/sbom.ts"
import type { Change, CompareRange, ExploredTree, LayerEntry, MatchOptions, TreeNode } from "../explore.ts"
import type { LayerIndex } from "../index/layer-index.ts"
import { fold, sumOf } from "./fold.ts"
import { rowOf, rows, type Part, type Row } from "./rows.ts"

const DEFAULT_MATCHES = 10_000
const MAX_REMEMBERED = 20_000
/** So many names are looked up; more are gone through beside all others. */
const FEW = 64

/** What a directory is made of: all that has it, what was there before the layers that are looked at, and what is there after. */
interface Place {
  parts: readonly Part[]
  before: readonly Part[]
  after: readonly Part[]
}

/** See `ExploredTree`. */
export class LayerTree implements ExploredTree {
  readonly range: CompareRange
  readonly #root: Node
  /** Sums of directories that lie in several layers, by their records. */
  readonly #sums = new Map<string, number>()

  /** Throws InvalidArgument for layers that are not there. */
  constructor(layers: readonly LayerIndex[], range: CompareRange) {
    const { since, upTo, alone = false } = range
    if (!(since >= 0 && since <= upTo && upTo < layers.length))
      throw new InvalidArgument(`no layers ${since} to ${upTo} are in an image of ${layers.length}`)
    this.range = range
    const parts = layers
      .slice(alone ? since : 0, upTo + 1)
      .map((index, at): Part => ({ layer: at + (alone ? since : 0), index, record: index.root }))
    const before = parts.filter(({ layer }) => layer < since)
    this.#root = new Node(this, "", "", { parts, before, after: parts })
  }

  node(path: string): TreeNode | undefined {
    return this.#find(path)
  }

  #find(path: string): Node | undefined {
    let node: Node | undefined = this.#root
    for (const name of path === "" ? [] : path.split("/")) {
      if (node === undefined) return undefined
      const row = rowOf(node.place.parts, name)
      node = row === undefined ? undefined : this.nodeOf(node, row)
    }
    return node
  }

  children(path: string): TreeNode[] {
    const node = this.#find(path)
    return node === undefined ? [] : [...this.below(node)]
  }

  async *matches(
    expression: Pick<Expression, "test">,
    { limit = DEFAULT_MATCHES, signal }: MatchOptions = {},
  ): AsyncIterable<TreeNode> {
    let left = limit
    for await (const node of this.walk("", { signal })) {
      if (!expression.test(shownPath(node.path))) continue
      yield node
      if (--left <= 0) return
    }
  }

  async *walk(path = "", { signal }: { signal?: AbortSignal | undefined } = {}): AsyncIterable<TreeNode> {
    const top = this.#find(path)
    if (top === undefined) return
    const slice = new TimeSlice(signal)
    const stack = [this.below(top)]
    for (let current = stack.at(-1); current !== undefined; current = stack.at(-1)) {
      const { done, value } = current.next()
      if (slice.isOver) await slice.giveWay()
      if (done) stack.pop()
      else {
        yield value
        if (value.hasChildren) stack.push(this.below(value))
      }
    }
  }

  /** The nodes of a directory. */
  *below(node: Node): Generator<Node, undefined> {
    for (const row of rows(node.place.parts)) {
      const child = this.nodeOf(node, row)
      if (child !== undefined) yield child
    }
    return undefined
  }

  /** The node of one name in a directory; undefined where nothing is seen of it, before or after. */
  nodeOf(parent: Node, row: Row): Node | undefined {
    const { parts, before, after } = parent.place
    const only = parts.length === 1 ? parts[0] : undefined
    const path = parent.path === "" ? row.name : `${parent.path}/${row.name}`
    if (only !== undefined && !only.record.hides) {
      const record = row.hits[0]?.plain
      if (record === undefined) return undefined
      const own = [{ ...only, record }]
      const isBefore = before.length > 0
      return new Node(this, path, row.name, {
        parts: own,
        before: isBefore ? own : [],
        after: after.length > 0 ? own : [],
      })
    }
    const [was, is] = [chosen(row, parts, before), chosen(row, parts, after)]
    const shown = is.length > 0 ? is : was
    if (shown.length > 0) {
      const all = was.length === 0 ? is : is.length === 0 ? was : union(was, is)
      const remover = is.length > 0 ? undefined : remove(row, parts, this.range)
      return new Node(this, path, row.name, { parts: all, before: was, after: is }, remover)
    }
    // there only between, or what lower layers would have to say is not shown: a whiteout tells
    const changing = row.hits.filter((hit) => (parts[hit.of]?.layer ?? 0) >= this.range.since)
    const last = changing.findLast((hit) => hit.plain) ?? changing.at(-1)
    const part = last === undefined ? undefined : parts[last.of]
    const record = last?.plain ?? last?.whiteout
    if (part === undefined || record === undefined || (last?.plain === undefined && this.range.alone !== true))
      return undefined
    const own = [{ ...part, record }]
    return new Node(this, path, row.name, { parts: own, before: own, after: [] }, part.layer)
  }

  sum(parts: readonly Part[]): number {
    const [only] = parts
    if (parts.length === 1 && only !== undefined && !only.record.hides) return only.record.belowBytes
    const key = parts.map(({ layer, record }) => `${layer}:${record.at}`).join(" ")
    const known = this.#sums.get(key)
    if (known !== undefined) return known
    const sum = sumOf(parts, "seen")
    if (this.#sums.size < MAX_REMEMBERED) this.#sums.set(key, sum)
    return sum
  }
}

/** What of a row is there for some of a directory's parts. */
function chosen(row: Row, parts: readonly Part[], of: readonly Part[]): Part[] {
  if (of.length === 0) return []
  if (of.length === parts.length) return fold(row, parts, "seen")
  const hits = row.hits.flatMap((hit) => {
    const part = parts[hit.of]
    const at =
      part === undefined
        ? -1
        : of.findIndex(({ layer, record }) => layer === part.layer && record.at === part.record.at)
    return at < 0 ? [] : [{ ...hit, of: at }]
  })
  return fold({ name: row.name, hits }, of, "seen")
}

function union(a: readonly Part[], b: readonly Part[]): Part[] {
  const seen = new Set(a.map(({ layer }) => layer))
  return [...a, ...b.filter(({ layer }) => !seen.has(layer))].toSorted((x, y) => x.layer - y.layer)
}

/** The layer that took it away: by its whiteout, or by what hides the directory. */
function remove(row: Row, parts: readonly Part[], { since, upTo }: CompareRange): number {
  const hit = row.hits.findLast(({ of, whiteout }) => whiteout !== undefined && (parts[of]?.layer ?? 0) >= since)
  const opaque = parts.findLast(({ layer, record }) => layer >= since && record.isOpaque)
  return (hit === undefined ? opaque?.layer : parts[hit.of]?.layer) ?? upTo
}

class Node implements TreeNode {
  readonly path: string
  readonly name: string
  readonly place: Place
  readonly #tree: LayerTree
  readonly #remover: number | undefined
  #change: Change | undefined

  constructor(tree: LayerTree, path: string, name: string, place: Place, remover?: number) {
    this.#tree = tree
    this.path = path
    this.name = name
    this.place = place
    this.#remover = remover
  }

  get #top(): Part {
    const top = (this.place.after.at(-1) ?? this.place.before.at(-1)) as Part
    return top
  }

  get entry(): LayerEntry {
    const { index, record } = this.#top
    const entry = index.entry(record.at)
    // a whiteout is a file only in its archive
    return record.isWhiteout ? { ...entry, mode: 0, sizeBytes: 0 } : entry
  }

  get layer(): number {
    return this.place.after.length > 0 ? this.#top.layer : (this.#remover ?? this.#top.layer)
  }

  get isDirectory(): boolean {
    return this.#top.record.isDirectory
  }

  get hasChildren(): boolean {
    const { parts } = this.place
    return this.isDirectory && parts.some(({ record }) => record.childCount > 0)
  }

  get change(): Change {
    return (this.#change ??= this.#compare())
  }

  get sizeBytes(): number {
    const { before, after } = this.place
    return this.#tree.sum(after.length > 0 ? after : before)
  }

  #compare(): Change {
    const { before, after, parts } = this.place
    const [was, is] = [before.at(-1), after.at(-1)]
    if (was === undefined) return "added"
    if (is === undefined) return "removed"
    // nothing of the layers that are looked at is here
    if (after.every(({ layer }) => layer < this.#tree.range.since)) return "unmodified"
    const isSame = was.index === is.index || is.index.isSame(is.record.at, was.index, was.record.at)
    if (!isSame && this.path !== "") return "modified"
    if (!is.record.isDirectory) return "unmodified"
    const { since } = this.#tree.range
    const changing = parts.filter(({ layer }) => layer >= since)
    const hidesAll = changing.some(({ record }) => record.isOpaque)
    const changed = changing.reduce((sum, { record }) => sum + record.childCount, 0)
    const isFew = changed < FEW && !hidesAll
    for (const row of rows(isFew ? changing : parts)) {
      const whole = isFew ? rowOf(parts, row.name) : row
      // what only lower layers have is as it was, unless a whole directory is hidden
      if (whole === undefined || (!hidesAll && whole.hits.every(({ of }) => (parts[of]?.layer ?? 0) < since))) continue
      const child = this.#tree.nodeOf(this, whole)
      if (child !== undefined && child.change !== "unmodified") return "modified"
    }
    return "unmodified"
  }
}
