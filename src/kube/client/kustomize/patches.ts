import { InvalidArgument, NotFound } from "../../../base/errors.ts"
import { jsonPatch, mergePatch } from "../../api/patch/json-patch.ts"
import { strategicPatch } from "../../api/patch/strategic.ts"
import { definitionName, findDefinition } from "../../api/schema/schema.ts"
import { parseLabelSelector } from "../../api/selectors.ts"
import { isTree, textAt, textsAt, treeAt, type Tree } from "../../field.ts"
import { readDocuments } from "../../read/read-documents.ts"

/** Longer ones are no names. */
const MAX_PATTERN = 256

/**
 * The objects with one patch applied: a list is a JSON patch, an object a strategic merge. `target` selects; without, the patch names its
 * object. What is deleted has `$deleted`. Throws NotFound where the patch meets nothing.
 */
export function applyPatches(objects: readonly Tree[], target: Tree | undefined, bytes: Buffer, where: string): Tree[] {
  const result = [...objects]
  const isList =
    bytes.toString().trimStart().startsWith("[") || /^\s*-\s/.test(bytes.toString().replaceAll(/^\s*#.*$/gm, ""))
  const documents = readDocuments(bytes, `a patch of ${where}`).map(({ value }) => value)
  for (const document of isList ? documents.slice(0, 1) : documents) {
    const matches = result.flatMap((object, index) => (selects(target, document, object) ? [index] : []))
    if (matches.length === 0 && (target === undefined || Object.keys(target).length === 0))
      throw new NotFound(
        `no matches for Id ${idOf(document)}; failed to find unique target for patch ${idOf(document)}`,
      )
    for (const index of matches) {
      const object = result[index]
      if (object !== undefined) result[index] = patchedObject(object, document)
    }
  }
  return result
}

function idOf(document: unknown): string {
  return `${textAt(document, "kind")}.${textAt(document, "apiVersion")}/${textAt(document, "metadata", "name")}`
}

function patchedObject(object: Tree, patch: unknown): Tree {
  if (Array.isArray(patch)) return jsonPatch(object, patch)
  if (!isTree(patch)) throw new InvalidArgument("a patch is an object or a list of operations")
  if (patch["$patch"] === "delete") return { ...object, $deleted: true }
  const [group = "", version = ""] = textAt(object, "apiVersion").includes("/")
    ? textAt(object, "apiVersion").split("/")
    : ["", textAt(object, "apiVersion")]
  const definition = findDefinition(definitionName(group, version, textAt(object, "kind")))
  // whose object it is was said by the target: its name stays
  const { metadata, kind: _, apiVersion: __, ...rest } = patch
  const { name: ___, namespace: ____, ...meta } = isTree(metadata) ? metadata : {}
  const body = { ...rest, ...(Object.keys(meta).length > 0 && { metadata: meta }) }
  if (definition !== undefined) return strategicPatch(object, body, definition)
  const merged = mergePatch(object, body)
  return isTree(merged) ? merged : object
}

function selects(target: Tree | undefined, patch: unknown, object: Tree): boolean {
  const [group, version] = groupVersion(textAt(object, "apiVersion"))
  if (target === undefined || Object.keys(target).length === 0) {
    const namespace = textAt(patch, "metadata", "namespace")
    return (
      textAt(patch, "kind") === textAt(object, "kind") &&
      textAt(patch, "apiVersion") === textAt(object, "apiVersion") &&
      textAt(patch, "metadata", "name") === textAt(object, "metadata", "name") &&
      (namespace === "" || namespace === textAt(object, "metadata", "namespace"))
    )
  }
  const fits = (key: string, value: string): boolean => {
    const pattern = textAt(target, key)
    if (pattern === "") return true
    return pattern === value || anchored(pattern).test(value)
  }
  const labels = parseLabelSelector(textAt(target, "labelSelector"))
  const annotations = parseLabelSelector(textAt(target, "annotationSelector"))
  return (
    fits("kind", textAt(object, "kind")) &&
    fits("name", textAt(object, "metadata", "name")) &&
    fits("namespace", textAt(object, "metadata", "namespace")) &&
    fits("group", group) &&
    fits("version", version) &&
    (labels?.(textsAt(object, "metadata", "labels")) ?? true) &&
    (annotations?.(textsAt(treeAt(object, "metadata"), "annotations")) ?? true)
  )
}

/** A regular expression of the whole name, of the simple kind that cannot run away: letters, dots, stars, alternatives. */
function anchored(pattern: string): RegExp {
  if (
    pattern.length > MAX_PATTERN ||
    !/^[\w.*|^$\-[\]?]+$/.test(pattern) ||
    /[*?][*?]/.test(pattern.replaceAll(".*", "*"))
  )
    return /(?!)/
  return new RegExp(`^(?:${pattern.replace(/^\^/, "").replace(/\$$/, "")})$`)
}

function groupVersion(apiVersion: string): [group: string, version: string] {
  const slash = apiVersion.indexOf("/")
  return slash === -1 ? ["", apiVersion] : [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)]
}
