import { basename } from "node:path"
import { checkProjectName } from "../project-name.ts"
import type { Environment } from "./environment.ts"
import { fault } from "./fault.ts"
import { interpolate } from "./interpolate.ts"
import type { LoadRequest } from "./request.ts"
import type { ParsedDocument } from "./parse.ts"
import { copyOrigin, isMap, type Tree, type TreeMap } from "./tree.ts"

/**
 * The project's name: given, of `COMPOSE_PROJECT_NAME`, of the last file that has one, or the directory's. The first two must be
 * as names are, of the others what cannot be in a name is dropped. Throws InvalidArgument.
 */
export function projectName(
  request: LoadRequest,
  environment: Environment,
  documents: readonly ParsedDocument[],
  directory: string,
): string {
  const given = request.projectName || environment.COMPOSE_PROJECT_NAME
  if (given !== undefined && given !== "") {
    checkProjectName(given)
    return given
  }
  const named = nameOfDocuments(documents, request, environment)
  const name = normalizeName(named ?? basename(directory))
  if (name === "")
    throw fault("project name must not be empty", undefined, {
      hint: "letters and digits of the directory's name make one",
    })
  return name
}

function nameOfDocuments(
  documents: readonly ParsedDocument[],
  request: LoadRequest,
  environment: Environment,
): string | undefined {
  const holder: TreeMap = {}
  for (const { tree } of documents) {
    const name: Tree | undefined = isMap(tree) ? tree.name : undefined
    if (typeof name !== "string" || name === "" || !isMap(tree)) continue
    holder.name = name
    copyOrigin(tree, "name", holder)
  }
  // the whole model is interpolated later, and warns then
  if (!request.skipInterpolation) interpolate(holder, environment, () => {})
  return typeof holder.name === "string" ? holder.name : undefined
}

/** Lower case, of letters a to z, digits, `_` and `-`, beginning with a letter or digit; may be empty. */
export function normalizeName(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]/g, "")
    .replace(/^[_-]+/, "")
}
