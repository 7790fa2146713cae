import { mergePatch } from "../api/patch/json-patch.ts"
import { definitionName, findDefinition } from "../api/schema/schema.ts"
import { isTree, type Tree } from "../field.ts"
import type { ResourceKind } from "../objects/kinds.ts"
import type { PatchBody } from "./kube-client.ts"
import { mergeDifference, strategicDifference } from "./three-way.ts"

/** The patch that makes one object another; undefined: they are the same. */
export function strategicPatchOf(kind: ResourceKind, current: Tree, wanted: Tree): PatchBody | undefined {
  const definition =
    kind.isCustom === true ? undefined : findDefinition(definitionName(kind.group, kind.version, kind.kind))
  const three = { original: current, modified: wanted, current }
  const body = definition === undefined ? mergeDifference(three) : strategicDifference(three, definition)
  return body === undefined ? undefined : { type: definition === undefined ? "merge" : "strategic", body }
}

/** An object with another laid over it (RFC 7386). */
export function mergeInto(object: Tree, over: unknown): Tree {
  const merged = mergePatch(object, over)
  return isTree(merged) ? merged : object
}
