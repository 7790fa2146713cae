import type { Vertex } from "./definition.ts"
import type { PlanScope } from "./stage-state.ts"

/** The files of the build's context, or of a named one: the same for all stages and platforms. */
export function contextVertex(name: string, { vertices, target }: PlanScope): Vertex {
  return vertices.make({
    operation: { kind: "context", name },
    inputs: [],
    name: name === "context" ? "[internal] load build context" : `[context ${name}] load from client`,
    ignoreCache: false,
    platform: target,
  })
}
