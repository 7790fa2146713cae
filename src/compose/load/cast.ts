import { InvalidArgument } from "../../base/errors.ts"
import { fault } from "./fault.ts"
import type { Key } from "./keys.ts"
import { project } from "./keys/project-keys.ts"
import { parseBoolean, parseFloatText, parseInteger } from "./go-scalar.ts"
import { originAt, showPath, type Tree, type TreeMap, type TreePath } from "./tree.ts"
import { replaceAt, walk } from "./walk.ts"
import type { Warn } from "./warn.ts"

/** Makes numbers and booleans of the texts that interpolation left where the specification wants such, in place. Throws InvalidArgument. */
export function castScalars(tree: TreeMap, warn: Warn): void {
  walk(tree, project, (at) => {
    const { key, value, path } = at
    if (key.cast === undefined || typeof value !== "string") return
    replaceAt(at, castText(value, key.cast, tree, path, warn))
  })
}

function castText(value: string, cast: NonNullable<Key["cast"]>, tree: TreeMap, path: TreePath, warn: Warn): Tree {
  const origin = originAt(tree, path)
  try {
    if (cast === "integer") return parseInteger(value)
    if (cast === "float") return parseFloatText(value)
    return parseBoolean(value, (instead) => warn({ message: oldBoolean(value, instead), ...(origin && { origin }) }))
  } catch (error) {
    if (!(error instanceof InvalidArgument)) throw error
    throw fault(`error while interpolating ${dotted(path)}: failed to cast to expected type: ${error.message}`, origin)
  }
}

/** Items of lists without their number: `services.a.ports.[].target`. */
function dotted(path: TreePath): string {
  return showPath(path).replaceAll(/\[\d+\]/g, ".[]")
}

/** In docker's words. */
export function oldBoolean(value: string, instead: boolean): string {
  return `${JSON.stringify(value)} for boolean is not supported by YAML 1.2, please use \`${instead}\``
}
