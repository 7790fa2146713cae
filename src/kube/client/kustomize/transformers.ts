import { isTree, setKey, textAt, treeAt, withAt, type Tree } from "../../field.ts"

/** Where labels go besides the object's own. */
interface LabelPlaces {
  selectors: boolean
  templates: boolean
}

const TEMPLATES: readonly (readonly string[])[] = [
  ["spec", "template", "metadata"],
  ["spec", "jobTemplate", "metadata"],
  ["spec", "jobTemplate", "spec", "template", "metadata"],
]
const SELECTORS: Readonly<Record<string, readonly string[]>> = {
  Deployment: ["spec", "selector", "matchLabels"],
  ReplicaSet: ["spec", "selector", "matchLabels"],
  StatefulSet: ["spec", "selector", "matchLabels"],
  DaemonSet: ["spec", "selector", "matchLabels"],
  Service: ["spec", "selector"],
  ReplicationController: ["spec", "selector"],
  PodDisruptionBudget: ["spec", "selector", "matchLabels"],
  NetworkPolicy: ["spec", "podSelector", "matchLabels"],
}

/** The object with labels; in its selector and templates, too, where those are wanted and there. */
export function addLabels(
  object: Tree,
  labels: Readonly<Record<string, string>>,
  { selectors, templates }: LabelPlaces,
): Tree {
  if (Object.keys(labels).length === 0) return object
  const add = (from: Tree, path: readonly string[]): Tree => withAt(from, path, { ...treeAt(from, ...path), ...labels })
  let next = add(object, ["metadata", "labels"])
  if (templates)
    for (const path of TEMPLATES) if (isTree(below(next, path.slice(0, -1)))) next = add(next, [...path, "labels"])
  const selector = SELECTORS[textAt(object, "kind")]
  if (selectors && selector && (textAt(object, "kind") !== "Service" || isTree(below(next, selector))))
    next = add(next, selector)
  return next
}

/** The object and its templates with annotations. */
export function addAnnotations(object: Tree, annotations: Readonly<Record<string, string>>): Tree {
  if (Object.keys(annotations).length === 0) return object
  let next = object
  for (const path of [["metadata"], ...TEMPLATES])
    if (path.length === 1 || isTree(below(next, path.slice(0, -1))))
      next = withAt(next, [...path, "annotations"], { ...treeAt(next, ...path, "annotations"), ...annotations })
  return next
}

function below(object: unknown, path: readonly string[]): unknown {
  let found = object
  for (const key of path) found = isTree(found) && Object.hasOwn(found, key) ? found[key] : undefined
  return found
}

/** Images by name, with another name, tag or digest. */
export function setImages(object: Tree, images: readonly unknown[]): Tree {
  if (images.length === 0) return object
  const walk = (value: unknown, key: string): unknown => {
    if (Array.isArray(value)) return value.map((item) => walk(item, key))
    if (!isTree(value)) return value
    const result: Tree = {}
    const isContainer = ["containers", "initContainers", "ephemeralContainers"].includes(key)
    for (const [name, one] of Object.entries(value))
      setKey(
        result,
        name,
        isContainer && name === "image" && typeof one === "string" ? imageOf(one, images) : walk(one, name),
      )
    return result
  }
  const next: Tree = {}
  for (const [key, value] of Object.entries(object)) setKey(next, key, walk(value, key))
  return next
}

function imageOf(image: string, images: readonly unknown[]): string {
  const at = image.indexOf("@")
  const bare = at === -1 ? image : image.slice(0, at)
  const slash = bare.lastIndexOf("/")
  const colon = bare.indexOf(":", slash + 1)
  const name = colon === -1 ? bare : bare.slice(0, colon)
  const rest = image.slice(name.length)
  const found = images.find((one) => textAt(one, "name") === name)
  if (found === undefined) return image
  const to = textAt(found, "newName") || name
  const digest = textAt(found, "digest")
  const tag = isTree(found) && typeof found["newTag"] === "number" ? String(found["newTag"]) : textAt(found, "newTag")
  if (digest !== "") return `${to}@${digest}`
  return tag === "" ? `${to}${rest}` : `${to}:${tag}`
}
