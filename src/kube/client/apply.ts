import { isSkiffError, InvalidArgument } from "../../base/errors.ts"
import { canonical } from "../api/validate/pod.ts"
import { customDefinition, findDefinition, definitionName } from "../api/schema/schema.ts"
import { decode } from "../api/schema/decode.ts"
import { at, isTree, textAt, textsAt, treeAt, withAt, type Tree } from "../field.ts"
import type { ResourceKind } from "../objects/kinds.ts"
import type { KubeClient, WriteOptions } from "./kube-client.ts"
import { mergeDifference, strategicDifference } from "./three-way.ts"

/** Where a client-side apply keeps what was applied. */
export const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

/** What applying an object did. */
export interface Applied {
  kind: ResourceKind
  object: Tree
  outcome: "created" | "configured" | "unchanged" | "serverside-applied"
  /** It was there and had no word of an earlier apply. */
  lacksAnnotation?: boolean
}

/** How objects are applied. */
export interface ApplyOptions extends WriteOptions {
  /** Undefined: the object's own. */
  namespace?: string | undefined
  serverSide?: boolean
  forceConflicts?: boolean
  /** Deletes what cannot be changed in place, and creates it anew. */
  force?: boolean
  /** Takes over what is applied even where it overwrites changes by others. */
  overwrite?: boolean
}

/** What kubectl calls itself as a manager of fields. */
const CLIENT_SIDE = "kubectl-client-side-apply"
const SERVER_SIDE = "kubectl"
const RETRIES = 5

/** Makes one object what a manifest says, by a patch of three: what was applied last, what is wanted, what is there. */
export async function applyObject(client: KubeClient, asked: Tree, options: ApplyOptions): Promise<Applied> {
  const kind = await client.kindOf(asked)
  const { object, namespace } = placeObject(kind, asked, options.namespace, client.transport.namespace)
  const name = textAt(object, "metadata", "name")
  if (name === "") {
    const prefix = textAt(object, "metadata", "generateName")
    throw new InvalidArgument(
      prefix === "" ? "resource name may not be empty" : `from ${prefix}: cannot use generate name with apply`,
    )
  }
  if (options.serverSide === true) return applyOnServer(client, { kind, object, namespace, name }, options)
  const manager = options.fieldManager ?? CLIENT_SIDE
  const write: WriteOptions = { ...options, fieldManager: manager, force: false }
  const modified = withLastApplied(object)
  for (let tried = 0; ; tried++) {
    const current = await client.find(kind, name, namespace)
    if (current === undefined)
      return { kind, object: await client.create(kind, modified, namespace, write), outcome: "created" }
    try {
      return await patchLive(client, { kind, modified, current, namespace, name }, write)
    } catch (error) {
      const reason = isSkiffError(error) ? error.data["reason"] : undefined
      if (reason === "Conflict" && tried < RETRIES) continue
      if (options.force !== true || (reason !== "Conflict" && reason !== "Invalid")) throw error
      await client.delete(kind, name, namespace, { gracePeriodSeconds: 0 })
      await gone(client, kind, name, namespace)
      return { kind, object: await client.create(kind, modified, namespace, write), outcome: "configured" }
    }
  }
}

interface Live {
  kind: ResourceKind
  modified: Tree
  current: Tree
  namespace: string | undefined
  name: string
}

async function patchLive(
  client: KubeClient,
  { kind, modified, current, namespace, name }: Live,
  write: WriteOptions,
): Promise<Applied> {
  const last = textsAt(current, "metadata", "annotations")[LAST_APPLIED]
  const original = last === undefined ? {} : parsed(last)
  const definition =
    kind.isCustom === true ? undefined : findDefinition(definitionName(kind.group, kind.version, kind.kind))
  const three = {
    original,
    modified: definition === undefined ? modified : normal(modified, definition),
    current: comparable(current),
  }
  const patch = definition === undefined ? mergeDifference(three) : strategicDifference(three, definition)
  const lacksAnnotation = last === undefined
  if (patch === undefined) return { kind, object: current, outcome: "unchanged", lacksAnnotation }
  const type = definition === undefined ? "merge" : "strategic"
  const object = await client.patch(kind, name, namespace, { type, body: patch }, write)
  const isSame =
    textAt(object, "metadata", "resourceVersion") === textAt(current, "metadata", "resourceVersion") &&
    write.dryRun !== true
  return { kind, object, outcome: isSame ? "unchanged" : "configured", lacksAnnotation }
}

/** Numbers that are quantities become texts, as the server keeps them. What the schema refuses the server shall tell of. */
function normal(object: Tree, definition: NonNullable<ReturnType<typeof findDefinition>>): Tree {
  try {
    const { value, faults } = decode(object, definition)
    // a field that the kind has not goes to the server, which says so
    return faults.length > 0 || hasNull(object) ? object : value
  } catch {
    return object
  }
}

function hasNull(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasNull)
  return value === null || (isTree(value) && Object.values(value).some(hasNull))
}

/** Without what the server alone writes. */
function comparable(object: Tree): Tree {
  return { ...object, metadata: withAt(treeAt(object, "metadata"), ["managedFields"], undefined) }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return {}
  }
}

/** The object with a copy of itself, as the next apply will want it. */
export function withLastApplied(object: Tree): Tree {
  const annotations = { ...treeAt(object, "metadata", "annotations") }
  delete annotations[LAST_APPLIED]
  const plain = withAt(object, ["metadata", "annotations"], annotations)
  return withAt(plain, ["metadata", "annotations"], { ...annotations, [LAST_APPLIED]: `${goJson(plain)}\n` })
}

/** JSON as Go writes it: keys in order, and what HTML would read escaped. */
function goJson(value: unknown): string {
  return canonical(value).replaceAll(
    /[<>&\u2028\u2029]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`,
  )
}

async function applyOnServer(
  client: KubeClient,
  { kind, object, namespace, name }: { kind: ResourceKind; object: Tree; namespace: string | undefined; name: string },
  options: ApplyOptions,
): Promise<Applied> {
  const manager = options.fieldManager ?? SERVER_SIDE
  const { status: _, ...wanted } = object
  const metadata = { ...treeAt(wanted, "metadata") }
  for (const key of ["managedFields", "creationTimestamp", "uid", "generation"]) delete metadata[key]
  const made = await client.patch(
    kind,
    name,
    namespace,
    { type: "apply", body: { ...wanted, metadata } },
    { ...options, fieldManager: manager, force: options.forceConflicts === true },
  )
  return { kind, object: made, outcome: "serverside-applied" }
}

/** The object in its namespace: the one that was asked for, its own, or the usual one. Throws where two differ. */
export function placeObject(
  kind: ResourceKind,
  object: Tree,
  asked: string | undefined,
  usual: string,
): { object: Tree; namespace: string | undefined } {
  const own = textAt(object, "metadata", "namespace")
  if (!kind.namespaced)
    return { object: own === "" ? object : withAt(object, ["metadata", "namespace"], undefined), namespace: undefined }
  if (asked !== undefined && own !== "" && own !== asked)
    throw new InvalidArgument(
      `the namespace from the provided object "${own}" does not match the namespace "${asked}"`,
      { hint: `ask for the namespace "${own}"` },
    )
  const namespace = own || asked || usual
  return { object: withAt(object, ["metadata", "namespace"], namespace), namespace }
}

/** Until it is no longer there, half a minute at most. */
export async function gone(client: KubeClient, kind: ResourceKind, name: string, namespace?: string): Promise<void> {
  const POLL_MS = 50
  for (const end = Date.now() + 30_000; Date.now() < end;) {
    if ((await client.find(kind, name, namespace)) === undefined) return
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

/** What a definition that was just applied says of its kind. */
export function schemaOf(definition: Tree, version: string): ReturnType<typeof customDefinition> {
  const name = definitionName(textAt(definition, "spec", "group"), version, textAt(definition, "spec", "names", "kind"))
  return customDefinition(name, at(definition, "spec", "versions"))
}
