import { createHash } from "node:crypto"
import { existsSync, readFileSync, statSync } from "node:fs"
import { basename, join, resolve } from "node:path"
import { FailedPrecondition, InvalidArgument, NotFound, Unsupported } from "../../../base/errors.ts"
import { isTree, listAt, numberAt, textAt, textsAt, treeAt, withAt, type Tree } from "../../field.ts"
import { readDocuments } from "../../read/read-documents.ts"
import { generatedObject } from "./generators.ts"
import { applyPatches } from "./patches.ts"
import { inOrder } from "./order.ts"
import { renameReferences, type Renamed } from "./references.ts"
import { addAnnotations, addLabels, setImages } from "./transformers.ts"

const FILES = ["kustomization.yaml", "kustomization.yml", "Kustomization"]
const MAX_DEPTH = 32
const MAX_OBJECTS = 10_000
/** What is said to be missing, where a kustomization asks for it. */
const UNSUPPORTED = [
  "vars",
  "replacements",
  "helmCharts",
  "helmChartInflationGenerator",
  "transformers",
  "generators",
  "validators",
]

/** Where addresses are read from. */
type Fetch = (url: string) => Promise<Uint8Array>

/** The objects of a directory with a kustomization, in kustomize's order (or, by `sortOptions`, their own); its bases lie `within`. Throws NotFound, InvalidArgument, Unsupported for what is not known here. */
export async function kustomize(directory: string, fetch: Fetch, within = "/"): Promise<Tree[]> {
  const from = resolve(directory)
  const objects = (await accumulate(from, { fetch, within: resolve(within) }, [])).map(({ object }) => object)
  return textAt(readKustomization(from), "sortOptions", "order") === "fifo" ? objects : inOrder(objects)
}

/** Where bases may come from. */
interface Bases {
  fetch: Fetch
  /** No directory outside it is read. */
  within: string
}

/** An object, and the name by which those beside it call it. */
interface Resource {
  object: Tree
  /** As it was read, before prefixes, suffixes and hashes. */
  originalName: string
  needsHash?: boolean
}

async function accumulate(
  directory: string,
  bases: Bases,
  around: readonly string[],
  base: Resource[] = [],
): Promise<Resource[]> {
  if (around.includes(directory)) throw new InvalidArgument(`a cycle of kustomizations: "${directory}" is in itself`)
  if (around.length > MAX_DEPTH)
    throw new InvalidArgument(`kustomizations are nested more than ${MAX_DEPTH} levels deep`)
  const spec = readKustomization(directory)
  for (const key of UNSUPPORTED)
    if (spec[key] !== undefined)
      throw new Unsupported(`"${key}" of the kustomization in "${directory}" is not supported`)
  const within = [...around, directory]
  let resources = [...base]
  for (const entry of [...listAt(spec, "resources"), ...listAt(spec, "bases")])
    resources.push(...(await readResource(String(entry), directory, bases, within)))
  for (const component of listAt(spec, "components"))
    resources = await accumulate(inside(String(component), directory, bases), bases, within, resources)
  for (const kind of ["ConfigMap", "Secret"] as const)
    for (const generator of listAt(spec, kind === "ConfigMap" ? "configMapGenerator" : "secretGenerator"))
      if (isTree(generator))
        addGenerated(
          resources,
          generatedObject(kind, generator, treeAt(spec, "generatorOptions"), (file) => readFile(file, directory)),
          generator,
        )
  if (resources.length > MAX_OBJECTS) throw new InvalidArgument(`"${directory}" has more than ${MAX_OBJECTS} objects`)
  resources = patched(spec, directory, resources)
  return transformed(spec, resources)
}

function addGenerated(resources: Resource[], made: { object: Tree; needsHash: boolean }, generator: Tree): void {
  const name = textAt(made.object, "metadata", "name")
  const behavior = textAt(generator, "behavior") || "create"
  const index = resources.findIndex(
    ({ object, originalName }) => object["kind"] === made.object["kind"] && originalName === name,
  )
  const existing = resources[index]
  if (behavior === "create") {
    if (existing)
      throw new InvalidArgument(
        `may not add resource with an already registered id: ${String(made.object["kind"])} ${name}`,
      )
    resources.push({ ...made, originalName: name })
    return
  }
  if (!existing)
    throw new NotFound(`${String(made.object["kind"])} "${name}" is to be changed by a generator, and is not there`)
  const merged =
    behavior === "replace"
      ? made.object
      : { ...existing.object, data: { ...treeAt(existing.object, "data"), ...treeAt(made.object, "data") } }
  resources[index] = { ...existing, object: merged, needsHash: existing.needsHash === true || made.needsHash }
}

function readKustomization(directory: string): Tree {
  const file = FILES.map((name) => join(directory, name)).find((path) => existsSync(path))
  if (file === undefined)
    throw new NotFound(
      `unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '${directory}'`,
    )
  const [document, ...more] = readDocuments(readFileSync(file), file)
  if (more.length > 0) throw new InvalidArgument(`"${file}" has more than one document`)
  const value = document?.value
  if (value !== undefined && !isTree(value)) throw new InvalidArgument(`"${file}" is no kustomization`)
  return isTree(value) ? value : {}
}

/** A file of a kustomization lies in its directory, or below: nothing else of the host is read for a stranger's. */
function readFile(name: string, directory: string): Buffer {
  const path = resolve(directory, name)
  if (!existsSync(path))
    throw new NotFound(`"${path}", which the kustomization in "${directory}" names, does not exist`)
  if (path !== directory && !path.startsWith(`${directory}/`))
    throw new FailedPrecondition(`security; file '${path}' is not in or below '${directory}'`)
  return readFileSync(path)
}

function inside(name: string, directory: string, { within }: Bases): string {
  if (/^https?:|^git@|^github\.com\//.test(name))
    throw new Unsupported(`the remote base "${name}" is not supported`, { hint: "clone it, and name the directory" })
  const path = resolve(directory, name)
  if (within !== "/" && path !== within && !path.startsWith(`${within}/`))
    throw new FailedPrecondition(`the base "${name}" is not in or below "${within}"`)
  return path
}

async function readResource(
  name: string,
  directory: string,
  bases: Bases,
  around: readonly string[],
): Promise<Resource[]> {
  if (/^https?:\/\/.*\.ya?ml$/.test(name)) return resourcesOf(await bases.fetch(name), name)
  const path = inside(name, directory, bases)
  if (!existsSync(path)) throw new NotFound(`accumulating resources: "${path}" does not exist`)
  if (statSync(path).isDirectory()) return accumulate(path, bases, around)
  return resourcesOf(readFile(name, directory), path)
}

function resourcesOf(bytes: Uint8Array, source: string): Resource[] {
  return readDocuments(bytes, source).map(({ value, place }) => {
    if (!isTree(value) || textAt(value, "kind") === "")
      throw new InvalidArgument(`${place}: an object with a kind is expected`)
    return { object: value, originalName: textAt(value, "metadata", "name") }
  })
}

function patched(spec: Tree, directory: string, resources: Resource[]): Resource[] {
  const text = (entry: unknown): Buffer => {
    const path = textAt(entry, "path")
    return path === "" ? Buffer.from(textAt(entry, "patch")) : readFile(path, directory)
  }
  const patches = [
    ...listAt(spec, "patchesStrategicMerge").map((entry) => ({
      target: undefined,
      bytes:
        typeof entry === "string" && !entry.includes("\n") && existsSync(resolve(directory, entry))
          ? readFile(entry, directory)
          : Buffer.from(String(entry)),
    })),
    ...listAt(spec, "patches").map((entry) => ({ target: treeAt(entry, "target"), bytes: text(entry) })),
    ...listAt(spec, "patchesJson6902").map((entry) => ({ target: treeAt(entry, "target"), bytes: text(entry) })),
  ]
  let objects = resources.map(({ object }) => object)
  for (const { target, bytes } of patches) objects = applyPatches(objects, target, bytes, basename(directory))
  return resources.flatMap((resource, index) => {
    const object = objects[index]
    return object === undefined || object["$deleted"] === true ? [] : [{ ...resource, object }]
  })
}

function transformed(spec: Tree, resources: Resource[]): Resource[] {
  const renamed: Renamed[] = []
  const prefix = textAt(spec, "namePrefix")
  const suffix = textAt(spec, "nameSuffix")
  const namespace = textAt(spec, "namespace")
  const changed = resources.map(({ object, originalName, needsHash = false }): Resource => {
    const kind = textAt(object, "kind")
    const before = textAt(object, "metadata", "name")
    const keepsName = kind === "Namespace" || kind === "CustomResourceDefinition" || kind === "APIService"
    const name = keepsName ? before : `${prefix}${before}${suffix}`
    let next = object
    if (namespace !== "" && !CLUSTER_KINDS.has(kind)) next = withAt(next, ["metadata", "namespace"], namespace)
    if (namespace !== "" && kind === "Namespace") next = withAt(next, ["metadata", "name"], namespace)
    else next = withAt(next, ["metadata", "name"], name)
    for (const pair of listAt(spec, "labels"))
      next = addLabels(next, textsAt(pair, "pairs"), {
        selectors: isTree(pair) && pair["includeSelectors"] === true,
        templates: isTree(pair) && (pair["includeTemplates"] === true || pair["includeSelectors"] === true),
      })
    next = addLabels(next, textsAt(spec, "commonLabels"), { selectors: true, templates: true })
    next = addAnnotations(next, textsAt(spec, "commonAnnotations"))
    next = setImages(next, listAt(spec, "images"))
    for (const entry of listAt(spec, "replicas"))
      if (
        textAt(entry, "name") === originalName &&
        ["Deployment", "ReplicaSet", "StatefulSet", "ReplicationController"].includes(kind)
      )
        next = withAt(next, ["spec", "replicas"], numberAt(entry, "count") ?? 1)
    if (name !== before) renamed.push({ kind, from: before, to: name })
    return { object: next, originalName, needsHash }
  })
  const hashed = changed.map((resource) => hashName(resource, renamed))
  return hashed.map(({ object, originalName }) => ({
    originalName,
    object: renameReferences(object, renamed, namespace),
  }))
}

const CLUSTER_KINDS = new Set(
  "Namespace Node PersistentVolume ClusterRole ClusterRoleBinding CustomResourceDefinition StorageClass PriorityClass IngressClass GatewayClass MutatingWebhookConfiguration ValidatingWebhookConfiguration".split(
    " ",
  ),
)

/** What a generator made is called after its content, so that who uses it is changed with it. */
function hashName(resource: Resource, renamed: Renamed[]): Resource {
  if (resource.needsHash !== true) return resource
  const { object } = resource
  const name = textAt(object, "metadata", "name")
  const to = `${name}-${contentHash(object)}`
  const known = renamed.find((one) => one.kind === object["kind"] && one.to === name)
  if (known) known.to = to
  else renamed.push({ kind: textAt(object, "kind"), from: name, to })
  return { ...resource, object: withAt(object, ["metadata", "name"], to), needsHash: false }
}

/** As kustomize makes it (kustomize api/internal/hasher). */
function contentHash(object: Tree): string {
  // without its name, which may change above
  const content =
    object["kind"] === "Secret"
      ? { data: treeAt(object, "data"), kind: "Secret", name: "", type: textAt(object, "type") }
      : {
          ...(object["binaryData"] !== undefined && { binaryData: object["binaryData"] }),
          data: object["data"] ?? "",
          kind: "ConfigMap",
          name: "",
        }
  const sorted = JSON.stringify(content, (_key, value: unknown) =>
    isTree(value) ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))) : value,
  ).replaceAll(/[<>&]/g, (one) => `\\u00${one.charCodeAt(0).toString(16)}`)
  const hex = createHash("sha256").update(sorted).digest("hex")
  return Array.from(hex.slice(0, 10))
    .map((one) => ({ "0": "g", "1": "h", "3": "k", a: "m", e: "t" })[one] ?? one)
    .join("")
}
