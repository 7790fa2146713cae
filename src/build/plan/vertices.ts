import type { Vertex } from "./definition.ts"

/** Makes the vertices of one plan: equal work is one object, named by whoever needed it first. */
export class Vertices {
  readonly #byContent = new Map<string, Vertex>()
  readonly #numbers = new Map<Vertex, number>()

  make(vertex: Vertex): Vertex {
    const { operation, inputs, platform, ignoreCache } = vertex
    const content = JSON.stringify([operation, inputs.map((input) => this.#numbers.get(input)), platform, ignoreCache])
    const known = this.#byContent.get(content)
    if (known !== undefined) return known
    this.#byContent.set(content, vertex)
    this.#numbers.set(vertex, this.#numbers.size)
    return vertex
  }
}

/** Collects the inputs of one vertex: each once, named by its place. */
export class Inputs {
  readonly list: Vertex[]

  constructor(root: Vertex) {
    this.list = [root]
  }

  add(vertex: Vertex): number {
    // the root is an input of its own kind: what is only read stands beside it, even if it is the same
    const known = this.list.indexOf(vertex, 1)
    return known > 0 ? known : this.list.push(vertex) - 1
  }
}

/** All vertices that `result` needs, inputs before their users. */
export function inOrder(result: Vertex): Vertex[] {
  const ordered = new Set<Vertex>()
  // no recursion: a chain of RUNs may be long
  const stack: { vertex: Vertex; next: number }[] = [{ vertex: result, next: 0 }]
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const input = top.vertex.inputs[top.next++]
    if (input === undefined) {
      ordered.add(top.vertex)
      stack.pop()
    } else if (!ordered.has(input)) stack.push({ vertex: input, next: 0 })
  }
  return [...ordered]
}
