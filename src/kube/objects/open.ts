import { randomUUID } from "node:crypto"
import { isDeepStrictEqual } from "node:util"
import type { Database } from "../../base/database.ts"
import { InvalidArgument, isSkiffError } from "../../base/errors.ts"
import type { KubeObject } from "../kube-object.ts"
import { customKind } from "./custom-kinds.ts"
import { apiVersionOf, BUILT_IN_KINDS, resourceKey, type ResourceKind } from "./kinds.ts"
import type { DeleteOptions, KubeObjects, StoredMetadata, StoredObject } from "./objects.ts"
import { ObjectRecords } from "./records.ts"
import { needsControl } from "./needs-control.ts"
import { Seal } from "./seal.ts"
import { alreadyExists, conflict, expired, forbidden, notFound } from "./status-errors.ts"
import { ChangeFeed } from "./watch.ts"

const DEFINITIONS = "customresourcedefinitions.apiextensions.k8s.io"
const NAMESPACES = ["default", "kube-node-lease", "kube-public", "kube-system"]
/** Letters and digits that read as no word (apimachinery, util/rand). */
const CHANCE = "bcdfghjklmnpqrstvwxz2456789"
const CHANCE_LENGTH = 5
/** Of a pod whose deletion names none. */
const POD_GRACE_SECONDS = 30
/** An object's JSON: etcd's limit on a request. */
const MAX_OBJECT_BYTES = 1_572_864

/** What the store is handed. */
export interface ObjectsDeps {
  db: Database
  /** The store's root: the key of Secrets lies in `<root>/kube`. */
  root: string
  /** Sees each new object before it is kept, may change it, and throws for what must not be. In the transaction of the creation. */
  admit?: (kind: ResourceKind, object: StoredObject) => StoredObject
  /** Hears of each change that is made here, in its transaction: there may be something to do now. */
  onChange?: (resource: string) => void
}

/** The objects of one store. */
export function openObjects({ db, root, admit, onChange }: ObjectsDeps): KubeObjects {
  const records = new ObjectRecords(db, new Seal(`${root}/kube`), onChange)
  const feed = new ChangeFeed(db, records)

  const kinds = (): ResourceKind[] => [...BUILT_IN_KINDS, ...records.list(DEFINITIONS).map(customKind)]
  const builtIn = new Map(BUILT_IN_KINDS.map((kind) => [resourceKey(kind), kind]))

  const kindOf = (resource: string): ResourceKind => {
    const kind = builtIn.get(resource) ?? kinds().find((one) => resourceKey(one) === resource)
    if (kind === undefined) throw notFound({ resource: DEFINITIONS, name: resource })
    return kind
  }

  /** The namespaces that every cluster has, once something is kept. */
  const begin = (): void => {
    if (records.hasAny()) return
    for (const name of NAMESPACES)
      records.put("ADDED", "namespaces", {
        apiVersion: "v1",
        kind: "Namespace",
        metadata: { ...newMetadata(), name, labels: { "kubernetes.io/metadata.name": name } },
        spec: { finalizers: ["kubernetes"] },
        status: { phase: "Active" },
      })
  }

  const find = (resource: string, name: string, namespace?: string): StoredObject | undefined =>
    records.find(resource, place(kindOf(resource), namespace), name)

  const get = (resource: string, name: string, namespace?: string): StoredObject => {
    const object = find(resource, name, namespace)
    if (object === undefined) throw notFound({ resource, name })
    return object
  }

  const nameOf = (resource: string, namespace: string, { metadata }: KubeObject): string => {
    if (metadata.name) return metadata.name
    const prefix = metadata["generateName"]
    if (typeof prefix !== "string" || prefix === "")
      throw new InvalidArgument(`an object of "${resource}" has no name: name or generateName is required`, {
        data: { reason: "Invalid", resource, name: "" },
      })
    for (;;) {
      const name = prefix + chance()
      if (records.find(resource, namespace, name) === undefined) return name
    }
  }

  const create = (resource: string, object: KubeObject): StoredObject =>
    db.transaction(() => {
      begin()
      const kind = kindOf(resource)
      const namespace = place(kind, object.metadata["namespace"] as string | undefined)
      const name = nameOf(resource, namespace, object)
      const about = { resource, name }
      if (kind.namespaced) {
        const owner = records.find("namespaces", "", namespace)
        if (owner === undefined) throw notFound({ resource: "namespaces", name: namespace })
        if (owner.metadata.deletionTimestamp !== undefined)
          throw forbidden(
            about,
            `unable to create new content in namespace ${namespace} because it is being terminated`,
          )
      }
      if (records.find(resource, namespace, name) !== undefined) throw alreadyExists(about)
      const { resourceVersion: _, ...asked } = object.metadata as Partial<StoredMetadata>
      const metadata: StoredMetadata = {
        ...asked,
        ...newMetadata(),
        name,
        ...(kind.namespaced && { namespace }),
        ...(hasSpec(object) && { generation: 1 }),
      }
      const whole: StoredObject = {
        ...object,
        apiVersion: object.apiVersion || apiVersionOf(kind),
        kind: kind.kind,
        metadata,
      }
      const admitted = admit ? admit(kind, whole) : whole
      checkSize(resource, name, admitted)
      return records.put("ADDED", resource, withoutEmpty(admitted))
    })

  /** Keeps `next` in place of `current`, or ends it where nothing holds it any longer. */
  const replace = (resource: string, current: StoredObject, wanted: StoredObject): StoredObject => {
    const next = withoutEmpty(wanted)
    const { deletionTimestamp, finalizers = [], deletionGracePeriodSeconds = 0 } = next.metadata
    const isHeldByGrace = resource === "pods" && deletionGracePeriodSeconds > 0
    if (deletionTimestamp !== undefined && finalizers.length === 0 && !isHeldByGrace)
      return records.remove(resource, next)
    if (sameContent(current, next)) return current
    checkSize(resource, next.metadata.name, next)
    return records.put("MODIFIED", resource, next)
  }

  const checked = (resource: string, { metadata }: KubeObject): StoredObject => {
    const { namespace, uid, resourceVersion } = metadata as Partial<StoredMetadata>
    const about = { resource, name: metadata.name }
    const current = get(resource, metadata.name, namespace)
    if (uid !== undefined && uid !== current.metadata.uid)
      throw conflict(
        about,
        `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${current.metadata.uid}`,
      )
    if (resourceVersion !== undefined && resourceVersion !== "" && resourceVersion !== current.metadata.resourceVersion)
      throw conflict(
        about,
        "the object has been modified; please apply your changes to the latest version and try again",
      )
    return current
  }

  const update = (resource: string, object: KubeObject): StoredObject =>
    db.transaction(() => {
      const current = checked(resource, object)
      const { status: _, ...rest } = object
      const kept = kindOf(resource).hasStatus ? withStatus(rest, current["status"]) : object
      const next = { ...kept, metadata: { ...object.metadata, ...fixed(current) } } as StoredObject
      if (hasSpec(object) && !sameSpec(current, next))
        next.metadata = { ...next.metadata, generation: (current.metadata.generation ?? 0) + 1 }
      return replace(resource, current, next)
    })

  const updateStatus = (resource: string, object: KubeObject): StoredObject =>
    db.transaction(() => {
      const current = checked(resource, object)
      const next = withStatus(current, object["status"]) as StoredObject
      const { managedFields } = object.metadata
      if (Array.isArray(managedFields)) next.metadata = { ...next.metadata, managedFields }
      return replace(resource, current, next)
    })

  const remove = (resource: string, name: string, namespace?: string, options: DeleteOptions = {}): StoredObject =>
    db.transaction(() => {
      const current = get(resource, name, namespace)
      checked(resource, { ...current, metadata: { name, ...placeOf(current), ...preconditions(options) } })
      const { metadata } = current
      const finalizers = [...(metadata.finalizers ?? [])]
      const holder = { Foreground: "foregroundDeletion", Orphan: "orphan", Background: "" }[
        options.propagation ?? "Background"
      ]
      if (holder !== "" && !finalizers.includes(holder)) finalizers.push(holder)
      // a namespace goes when all that is in it has gone (controllers/namespaces.ts)
      if (resource === "namespaces" && !finalizers.includes("kubernetes")) finalizers.push("kubernetes")
      const grace = resource === "pods" ? graceOf(current, options.graceSeconds) : 0
      const next: StoredObject = {
        ...current,
        metadata: {
          ...metadata,
          ...(finalizers.length > 0 && { finalizers }),
          deletionTimestamp: metadata.deletionTimestamp ?? timestamp(Date.now() + grace * 1000),
          deletionGracePeriodSeconds: Math.min(grace, metadata.deletionGracePeriodSeconds ?? grace),
        },
      }
      return replace(resource, current, next)
    })

  return {
    kinds,
    kind: kindOf,
    get,
    find,
    list(resource, { namespace, fits } = {}) {
      if (!records.hasAny()) db.transaction(begin)
      return db.snapshot(() => {
        const kind = kindOf(resource)
        const items = records.list(resource, kind.namespaced ? namespace : undefined)
        return { items: fits ? items.filter(fits) : items, resourceVersion: `${records.version()}` }
      })
    },
    create,
    update,
    updateStatus,
    patch(resource, name, namespace, change, part = "object") {
      return db.transaction(() => {
        const current = find(resource, name, namespace)
        const next = current && change(current)
        if (next === undefined) return undefined
        try {
          return part === "status" ? updateStatus(resource, next) : update(resource, next)
        } catch (error) {
          // what it was made from is what is here: nobody can be faster inside a transaction, but the caller's object may be older
          if (isSkiffError(error, "NotFound")) return undefined
          throw error
        }
      })
    },
    delete: remove,
    clear() {
      db.transaction(() => {
        for (const [resource, object] of records.all()) records.remove(resource, object)
      })
    },
    watch(options = {}) {
      const { since } = options
      const from = since === undefined ? records.version() : Number(since)
      const oldest = records.oldestChange()
      if (!Number.isSafeInteger(from) || from < 0)
        throw new InvalidArgument(`"${since}" is no resourceVersion`, { data: { reason: "Invalid" } })
      if (from < oldest - 1) throw expired(`${since}`, oldest)
      return feed.watch(from, options)
    },
    resourceVersion: () => `${records.version()}`,
    needsControl: () => needsControl(db),
  }
}

function checkSize(resource: string, name: string, object: object): void {
  const bytes = Buffer.byteLength(JSON.stringify(object))
  if (bytes > MAX_OBJECT_BYTES)
    throw new InvalidArgument(
      `${resource} "${name}" has ${bytes} bytes, more than the ${MAX_OBJECT_BYTES} of an object`,
      {
        data: { reason: "Invalid", resource, name },
        hint: "a ConfigMap or Secret of that size belongs into a volume or an image",
      },
    )
}

function place({ namespaced }: ResourceKind, namespace: string | undefined): string {
  return namespaced ? (namespace ?? "default") : ""
}

/** RFC 3339 in whole seconds, as the API has times. */
function timestamp(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z")
}

function newMetadata(): Pick<StoredMetadata, "uid" | "creationTimestamp" | "resourceVersion"> {
  return { uid: randomUUID(), creationTimestamp: timestamp(Date.now()), resourceVersion: "" }
}

/** Labels, annotations, finalizers, owners: those of which there is none are not said (apimachinery, ObjectMeta: omitempty). */
function withoutEmpty(object: StoredObject): StoredObject {
  const said = Object.entries(object.metadata).filter(
    ([, value]) => typeof value !== "object" || value === null || Object.keys(value).length > 0,
  )
  return { ...object, metadata: Object.fromEntries(said) as StoredMetadata }
}

/** What nobody changes after the creation. */
function fixed({ metadata }: StoredObject): Partial<StoredMetadata> {
  const { uid, creationTimestamp, resourceVersion, generation, namespace } = metadata
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata
  return {
    uid,
    creationTimestamp,
    resourceVersion,
    ...(generation !== undefined && { generation }),
    ...(namespace !== undefined && { namespace }),
    ...(deletionTimestamp !== undefined && { deletionTimestamp }),
    ...(deletionGracePeriodSeconds !== undefined && { deletionGracePeriodSeconds }),
  }
}

function placeOf({ metadata: { namespace } }: StoredObject): { namespace?: string } {
  return namespace === undefined ? {} : { namespace }
}

function preconditions({ uid, resourceVersion }: DeleteOptions): Partial<StoredMetadata> {
  return { ...(uid !== undefined && { uid }), ...(resourceVersion !== undefined && { resourceVersion }) }
}

function graceOf(pod: StoredObject, asked: number | undefined): number {
  const spec = pod["spec"] as { terminationGracePeriodSeconds?: number } | undefined
  return asked ?? spec?.terminationGracePeriodSeconds ?? POD_GRACE_SECONDS
}

function withStatus(object: object, status: unknown): KubeObject {
  const { status: _, ...rest } = object as KubeObject
  return status === undefined ? rest : { ...rest, status }
}

function hasSpec(object: KubeObject): boolean {
  return object["spec"] !== undefined
}

function sameSpec(one: KubeObject, other: KubeObject): boolean {
  return isDeepStrictEqual(one["spec"], other["spec"])
}

function sameContent(one: StoredObject, other: StoredObject): boolean {
  return isDeepStrictEqual(one, other)
}

function chance(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(CHANCE_LENGTH))
  return Array.from(bytes, (byte) => CHANCE[byte % CHANCE.length]).join("")
}
