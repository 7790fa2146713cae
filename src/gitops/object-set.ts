import { InvalidArgument, isSkiffError } from "../base/errors.ts"
import {
  applyObject,
  canonical,
  isTree,
  listAt,
  placeObject,
  resourceKey,
  textAt,
  textsAt,
  titleOf,
  treeAt,
  withAt,
  type KubeClient,
  type Manifest,
  type ResourceKind,
  type Tree,
} from "../kube/kube.ts"
import { NAME_LABEL, PRUNE_ANNOTATION, REVISION_ANNOTATION } from "./gitops-options.ts"

/** The manager of the fields that a repository names. */
export const FIELD_MANAGER = "skiff-gitops"
const MAX_FAULTS = 20

/** One object of a commit. */
export interface Wanted {
  kind: ResourceKind
  object: Tree
  namespace: string | undefined
  name: string
  title: string
  place: string
  /** Its kind is defined by an object of the same commit, and not known to the server yet. */
  isOfNewKind: boolean
}

/** What was applied, and how. */
export interface AppliedObject {
  wanted: Wanted
  object: Tree
  /** Something was not as it is wanted. */
  isChanged: boolean
}

/** In the order in which one needs the other; what is not named comes in between, before its users. */
const FIRST = [
  "Namespace",
  "CustomResourceDefinition",
  "PriorityClass",
  "StorageClass",
  "IngressClass",
  "ResourceQuota",
  "LimitRange",
  "ServiceAccount",
  "ClusterRole",
  "ClusterRoleBinding",
  "Role",
  "RoleBinding",
  "NetworkPolicy",
  "Secret",
  "ConfigMap",
  "PersistentVolume",
  "PersistentVolumeClaim",
  "Service",
]
const LAST = [
  "HorizontalPodAutoscaler",
  "Ingress",
  "APIService",
  "MutatingWebhookConfiguration",
  "ValidatingWebhookConfiguration",
]

function turnOf(kind: string): number {
  const first = FIRST.indexOf(kind)
  if (first >= 0) return first
  const last = LAST.indexOf(kind)
  return FIRST.length + (last >= 0 ? last + 1 : 0)
}

/** The objects of a commit, marked as kept, in the order of applying. Throws InvalidArgument, which names every fault. */
export async function wantedOf(
  client: KubeClient,
  manifests: readonly Manifest[],
  { name, commit, namespace }: { name: string; commit: string; namespace: string | undefined },
): Promise<Wanted[]> {
  const defined = manifests.map(({ object }) => definedKind(object)).filter((kind) => kind !== undefined)
  const faults: string[] = []
  const found = new Map<string, Wanted>()
  for (const { object: asked, place } of manifests)
    try {
      const { kind, isNew } = await kindOf(client, asked, defined)
      const placed = placeObject(kind, asked, undefined, namespace ?? client.transport.namespace)
      const own = textAt(asked, "metadata", "name")
      if (own === "") throw new InvalidArgument("metadata.name is not set")
      const labels = { ...treeAt(placed.object, "metadata", "labels"), [NAME_LABEL]: name }
      const annotations = { ...treeAt(placed.object, "metadata", "annotations"), [REVISION_ANNOTATION]: commit }
      const labelled = withAt(placed.object, ["metadata", "labels"], labels)
      const wanted: Wanted = {
        kind,
        object: withAt(withAt(labelled, ["metadata", "annotations"], annotations), ["status"], undefined),
        namespace: placed.namespace,
        name: own,
        title: titleOf(kind, own),
        place,
        isOfNewKind: isNew,
      }
      const key = keyOf(wanted)
      const twin = found.get(key)
      if (twin !== undefined) throw new InvalidArgument(`${twin.title} is at ${twin.place}, too`)
      found.set(key, wanted)
    } catch (error) {
      if (!isSkiffError(error)) throw error
      faults.push(`${place}: ${error.message}`)
    }
  throwFaults(faults)
  return [...found.values()].toSorted((one, other) => turnOf(one.kind.kind) - turnOf(other.kind.kind))
}

function keyOf({ kind, namespace, name }: Wanted): string {
  return `${resourceKey(kind)} ${namespace ?? ""} ${name}`
}

async function kindOf(
  client: KubeClient,
  object: Tree,
  defined: readonly ResourceKind[],
): Promise<{ kind: ResourceKind; isNew: boolean }> {
  try {
    return { kind: await client.kindOf(object), isNew: false }
  } catch (error) {
    const apiVersion = textAt(object, "apiVersion")
    const own = defined.find(({ group, kind }) => kind === textAt(object, "kind") && apiVersion.startsWith(`${group}/`))
    if (own === undefined) throw error
    return { kind: { ...own, version: apiVersion.slice(own.group.length + 1) }, isNew: true }
  }
}

/** The kind that a definition makes. */
function definedKind(object: Tree): ResourceKind | undefined {
  if (textAt(object, "kind") !== "CustomResourceDefinition") return undefined
  const named = (key: string): string => textAt(object, "spec", "names", key)
  const version = listAt(object, "spec", "versions").find(isTree)
  return {
    group: textAt(object, "spec", "group"),
    version: textAt(version, "name"),
    kind: named("kind"),
    plural: named("plural"),
    singular: named("singular") || named("kind").toLowerCase(),
    shortNames: [],
    namespaced: textAt(object, "spec", "scope") !== "Cluster",
    hasStatus: false,
    isCustom: true,
  }
}

function throwFaults(faults: readonly string[]): void {
  if (faults.length === 0) return
  const more = faults.length > MAX_FAULTS ? [`and ${faults.length - MAX_FAULTS} more`] : []
  throw new InvalidArgument([...faults.slice(0, MAX_FAULTS), ...more].join("\n"))
}

/**
 * That the server would take all of them: nothing is changed. What lies in a namespace of the same commit that is not there yet is tried in
 * the usual one; what is of a kind of the same commit is tried when the kind is there. Throws InvalidArgument, which names every fault.
 */
export async function validate(client: KubeClient, name: string, all: readonly Wanted[]): Promise<void> {
  const namespaceKind = await client.kindNamed("namespaces")
  const missing = new Set<string>()
  for (const wanted of all)
    if (wanted.kind.kind === "Namespace" && (await client.find(namespaceKind, wanted.name)) === undefined)
      missing.add(wanted.name)
  const faults: string[] = []
  for (const wanted of all) {
    if (wanted.isOfNewKind) continue
    try {
      if (wanted.namespace !== undefined && missing.has(wanted.namespace)) await tryElsewhere(client, wanted)
      else await tryInPlace(client, name, wanted)
    } catch (error) {
      if (!isSkiffError(error) || error.code === "Unavailable") throw error
      faults.push(`${wanted.place}: ${wanted.title}: ${error.message}`)
    }
  }
  throwFaults(faults)
}

async function tryInPlace(
  client: KubeClient,
  name: string,
  { kind, object, namespace, name: own }: Wanted,
): Promise<void> {
  const live = await client.find(kind, own, namespace)
  const holder = live === undefined ? undefined : textsAt(live, "metadata", "labels")[NAME_LABEL]
  if (holder !== undefined && holder !== name)
    throw new InvalidArgument(`"${holder}" keeps it already, by its label ${NAME_LABEL}`)
  await applyObject(client, object, { ...APPLY, dryRun: true })
}

const USUAL = "default"

async function tryElsewhere(client: KubeClient, { kind, object }: Wanted): Promise<void> {
  const there = withAt(object, ["metadata", "namespace"], USUAL)
  try {
    await client.create(kind, there, USUAL, { dryRun: true, fieldManager: FIELD_MANAGER, fieldValidation: "Strict" })
  } catch (error) {
    // another of that name: the object itself was taken
    if (!isSkiffError(error) || error.data["reason"] !== "AlreadyExists") throw error
  }
}

const APPLY = {
  serverSide: true,
  forceConflicts: true,
  fieldManager: FIELD_MANAGER,
  fieldValidation: "Strict",
} as const

/** Makes one object so. Safe to repeat: what is so already is not written. */
export async function applyWanted(client: KubeClient, wanted: Wanted): Promise<AppliedObject> {
  const { kind, name, namespace, object } = wanted
  const before = await client.find(kind, name, namespace).catch((error: unknown) => {
    if (wanted.isOfNewKind) return undefined
    throw error
  })
  const applied = await applyObject(client, object, APPLY)
  if (kind.kind === "CustomResourceDefinition") client.forgetKinds()
  return { wanted, object: applied.object, isChanged: versionOf(before) !== versionOf(applied.object) }
}

function versionOf(object: Tree | undefined): string {
  return textAt(object, "metadata", "resourceVersion")
}

/** What of an object others cannot change without our looking at it: all but its status and what the server counts. */
export function fingerprint(object: Tree): string {
  const metadata = { ...treeAt(object, "metadata") }
  for (const key of ["resourceVersion", "managedFields"]) delete metadata[key]
  return canonical({ ...object, metadata, status: undefined })
}

/** All objects on the server that are marked as kept under the name, and that nobody else owns. `told`: hears of kinds that cannot be listed. */
export async function keptObjects(
  client: KubeClient,
  name: string,
  told: (message: string) => void,
): Promise<{ kind: ResourceKind; object: Tree }[]> {
  const found: { kind: ResourceKind; object: Tree }[] = []
  for (const kind of await client.kinds()) {
    // made by controllers, which copy a Service's labels
    if (["Event", "Endpoints", "EndpointSlice", "ControllerRevision", "Lease"].includes(kind.kind)) continue
    try {
      const { items } = await client.list(kind, { labelSelector: `${NAME_LABEL}=${name}` })
      for (const object of items)
        if (revisionOf(object) !== undefined && listAt(object, "metadata", "ownerReferences").length === 0)
          found.push({ kind, object })
    } catch (error) {
      const reason = isSkiffError(error) ? error.data["reason"] : undefined
      if (!isSkiffError(error) || error.code === "Unavailable") throw error
      // a kind without a list: reviews, metrics
      if (reason !== "NotFound" && reason !== "MethodNotAllowed") told(`${resourceKey(kind)}: ${error.message}`)
    }
  }
  return found
}

/** The commit that an object was applied of. */
export function revisionOf(object: Tree): string | undefined {
  return textsAt(object, "metadata", "annotations")[REVISION_ANNOTATION]
}

/** Deletes what is marked and no longer wanted. Gives titles. */
export async function prune(
  client: KubeClient,
  name: string,
  wanted: readonly Wanted[],
  told: (message: string) => void,
): Promise<string[]> {
  const keys = new Set(wanted.map(keyOf))
  const gone: string[] = []
  for (const { kind, object } of await keptObjects(client, name, told)) {
    const own = textAt(object, "metadata", "name")
    const namespace = textAt(object, "metadata", "namespace") || undefined
    if (keys.has(`${resourceKey(kind)} ${namespace ?? ""} ${own}`)) continue
    if (textsAt(object, "metadata", "annotations")[PRUNE_ANNOTATION] === "disabled") continue
    if (textAt(object, "metadata", "deletionTimestamp") !== "") continue
    try {
      await client.delete(kind, own, namespace, {
        propagationPolicy: "Background",
        uid: textAt(object, "metadata", "uid"),
      })
      gone.push(titleOf(kind, own))
    } catch (error) {
      // with its namespace, or by another
      if (!isSkiffError(error, "NotFound"))
        told(`${titleOf(kind, own)}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return gone
}
