import { isTree, type Tree } from "../../field.ts"
import type { StoredObject } from "../../objects/objects.ts"
import { statusError } from "../status.ts"

/** `pods "web" is forbidden: …`. */
export function forbidden(object: StoredObject, why: string, resource = "pods"): Error {
  const { name } = object.metadata
  return statusError("PermissionDenied", `${resource} "${name}" is forbidden: ${why}`, {
    reason: "Forbidden",
    resource,
    name,
  })
}

/** Mappings alone, of what nobody has looked at. */
export function trees(values: readonly unknown[]): Tree[] {
  return values.filter(isTree)
}
