import type { FilesOperation, RunOperation, Vertex } from "../plan/definition.ts"
import type { Source, Executor } from "../execute/executor.ts"
import { keyOf, keyParts, type InputKey, type KeyConditions, type KeyPart, type LayeredOperation } from "./key.ts"
import type { LayersResult, Result } from "./result.ts"

/** A vertex whose result is a layer more. */
export type LayeredVertex = Vertex & { operation: LayeredOperation }

/** What keys are made with. */
export interface VertexKeysOptions {
  executor: Pick<Executor, "sourceDigest">
  conditions: KeyConditions
  /** Gives the files of a context and its like. */
  solve(vertex: Vertex): Promise<Result>
  view(layers: LayersResult): Promise<Source>
}

/** The keys of one build's vertices, each made once. */
export class VertexKeys {
  readonly #options: VertexKeysOptions
  readonly #definitionKey = new Map<Vertex, Promise<string>>()
  readonly #anew = new Map<Vertex, boolean>()
  readonly #digests = new Map<Vertex, Map<number, Promise<string | undefined>>>()

  constructor(options: VertexKeysOptions) {
    this.#options = options
  }

  /** The key by definitions, and by the contents of contexts. */
  definitionKey(vertex: Vertex): Promise<string> {
    let definitionKey = this.#definitionKey.get(vertex)
    if (definitionKey === undefined) this.#definitionKey.set(vertex, (definitionKey = this.#makeAsked(vertex)))
    return definitionKey
  }

  /** The parts of the key by what the inputs gave: `root` is the identity of the first, of the others what is read counts. */
  async contentParts(vertex: LayeredVertex, root: string, inputs: readonly Result[]): Promise<KeyPart[]> {
    const sources = await this.#sourceKeys(vertex, (input) => {
      const result = inputs[input]
      return result?.kind === "layers" ? this.#layersDigest(vertex, input, result) : this.#treeDigest(vertex, input)
    })
    return keyParts(vertex, root, sources, this.#options.conditions)
  }

  /** Whether it, or anything below it, is to run whatever the cache has: then definitions alone tell nothing. */
  isBuiltAnew(vertex: Vertex): boolean {
    let anew = this.#anew.get(vertex)
    if (anew === undefined) {
      anew = isLayered(vertex) && (vertex.ignoreCache || vertex.inputs.some((input) => this.isBuiltAnew(input)))
      this.#anew.set(vertex, anew)
    }
    return anew
  }

  async #makeAsked(vertex: Vertex): Promise<string> {
    const { operation } = vertex
    if (operation.kind === "scratch" || operation.kind === "image") return baseIdentity(vertex)
    if (!isLayered(vertex)) return "tree" // told by what is read of it
    const below = await Promise.all(vertex.inputs.map((input) => this.definitionKey(input)))
    const sources = await this.#sourceKeys(vertex, (input) =>
      below[input] === "tree" ? this.#treeDigest(vertex, input) : Promise.resolve(below[input]),
    )
    return keyOf("definition", keyParts(vertex, below[0] ?? "scratch", sources, this.#options.conditions))
  }

  async #sourceKeys(
    vertex: LayeredVertex,
    valueOf: (input: number) => Promise<string | undefined>,
  ): Promise<InputKey[]> {
    return await Promise.all(
      vertex.inputs.slice(1).map(async (input, index) => ({ label: labelOf(input), value: await valueOf(index + 1) })),
    )
  }

  /** A digest of what the vertex reads of a tree. */
  #treeDigest(vertex: LayeredVertex, input: number): Promise<string | undefined> {
    return this.#once(vertex, input, async (operation) => {
      const from = vertex.inputs[input]
      const result = from && (await this.#options.solve(from))
      if (result?.kind !== "tree") return undefined
      return await this.#options.executor.sourceDigest(operation, input, result.source)
    })
  }

  async #layersDigest(vertex: LayeredVertex, input: number, result: LayersResult): Promise<string | undefined> {
    if (vertex.operation.kind === "merge") return result.identity
    return await this.#once(vertex, input, async (operation) =>
      this.#options.executor.sourceDigest(operation, input, await this.#options.view(result)),
    )
  }

  #once(
    vertex: LayeredVertex,
    input: number,
    make: (operation: RunOperation | FilesOperation) => Promise<string | undefined>,
  ): Promise<string | undefined> {
    const { operation } = vertex
    if (operation.kind === "merge") return Promise.resolve(undefined)
    const known = this.#digests.get(vertex) ?? new Map<number, Promise<string | undefined>>()
    this.#digests.set(vertex, known)
    let digest = known.get(input)
    if (digest === undefined) known.set(input, (digest = make(operation)))
    return digest
  }
}

/** Whether the vertex is a step, whose result the cache may have. */
export function isLayered(vertex: Vertex): vertex is LayeredVertex {
  const { kind } = vertex.operation
  return kind === "run" || kind === "files" || kind === "merge"
}

/** What the first step of its chain stands on. */
export function baseOf(vertex: Vertex): Vertex {
  let root = vertex
  while (isLayered(root) && root.inputs[0] !== undefined) root = root.inputs[0]
  return root
}

/** The identity of a base: of an image the whole config is in it (CVE-2024-24557). */
export function baseIdentity({ operation }: Vertex): string {
  return operation.kind === "image" ? `image ${operation.id}` : "scratch"
}

/** What a step does, without its place. */
export function descriptionOf({ name }: Vertex): string {
  return name.replace(/^\[[^\]]*\]\s*/, "")
}

/** Where a step stands in its Dockerfile: `[build 2/5]`. */
export function slotOf({ name }: Vertex): string {
  return /^\[[^\]]*\]/.exec(name)?.[0] ?? ""
}

function labelOf(input: Vertex): string {
  const { operation } = input
  if (operation.kind === "context")
    return operation.name === "context" ? "the files of the context" : `the files of "${operation.name}"`
  if (operation.kind === "http" || operation.kind === "git") return `what ${operation.url} gives`
  if (operation.kind === "inline") return "the here-document"
  return `the files of ${slotOf(input) || input.name}`
}
