import { updateManaged } from "../api/managed/managed.ts"
import { kindDefinition } from "../api/schema/schema.ts"
import type { KubeObject } from "../kube-object.ts"
import { apiVersionOf } from "../objects/kinds.ts"
import type { DeleteOptions, KubeObjects, ObjectChange, StoredMetadata, StoredObject } from "../objects/objects.ts"
import type { ControllerAdmission } from "./admission.ts"
import type { Kept } from "./kept.ts"

/** Nobody controls anything by these, and there may be many. */
const NOT_CACHED = new Set(["events", "leases.coordination.k8s.io"])

const WEBHOOKS = ["mutating", "validating"].map((one) => `${one}webhookconfigurations.admissionregistration.k8s.io`)

/** As whom controllers write. */
const MANAGER = "kube-controller-manager"

/** Which very object. */
export interface Identified {
  metadata: Pick<StoredMetadata, "name" | "namespace" | "uid">
}

/** A change as the cache saw it: what was there before, too. */
export interface CachedChange extends ObjectChange {
  previous: StoredObject | undefined
}

/**
 * All objects in memory, by one watch, indexed by namespace and owner; and every write of the controllers, which it has at once: who looks
 * after a write sees it, so that nobody makes a second pod for one that the watch has not told of yet.
 *
 * Objects are as they were read, without `managedFields`, and nobody's to change. A write reads the newest first.
 */
export class Cluster {
  readonly objects: KubeObjects
  readonly #admission: ControllerAdmission | undefined
  readonly #byResource = new Map<string, Map<string, StoredObject>>()
  readonly #byUid = new Map<string, { resource: string; object: StoredObject }>()
  readonly #byOwner = new Map<string, Set<string>>()
  /** Versions of what was removed by us, until the watch tells of it. */
  readonly #removed = new Map<string, number>()
  readonly #listeners: ((change: CachedChange) => void)[] = []

  /** `admission`: of those who make objects; undefined: no webhook is asked. */
  constructor(objects: KubeObjects, admission?: ControllerAdmission) {
    this.objects = objects
    this.#admission = admission
  }

  /** Reads all there is, then follows it until `signal`. Listeners hear of each object as added first. */
  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await using watch = this.objects.watch({ signal })
      this.#readAll()
      try {
        for await (const change of watch) this.#take(change.type, change.resource, change.object)
      } catch (error) {
        // so far behind that changes are no longer kept: read anew
        if ((error as { data?: { reason?: string } }).data?.reason !== "Expired") throw error
      }
    }
  }

  onChange(listener: (change: CachedChange) => void): void {
    this.#listeners.push(listener)
  }

  /** In no order. */
  list<T>(resource: string, namespace?: string): Kept<T>[] {
    const all = [...(this.#byResource.get(resource)?.values() ?? [])]
    const found = namespace === undefined ? all : all.filter(({ metadata }) => metadata.namespace === namespace)
    return found as unknown as Kept<T>[]
  }

  count(resource: string): number {
    return this.#byResource.get(resource)?.size ?? 0
  }

  find<T>(resource: string, name: string, namespace?: string): Kept<T> | undefined {
    return this.#byResource.get(resource)?.get(keyOf(namespace, name)) as unknown as Kept<T> | undefined
  }

  /** By its key: `namespace/name`, or `name`. */
  byKey<T>(resource: string, key: string): Kept<T> | undefined {
    return this.#byResource.get(resource)?.get(key) as unknown as Kept<T> | undefined
  }

  byUid(uid: string): { resource: string; object: StoredObject } | undefined {
    return this.#byUid.get(uid)
  }

  /** What names this uid as an owner: all kinds, or one. */
  ownedBy<T>(uid: string, resource?: string): Kept<T>[] {
    return this.resourcesOwnedBy(uid)
      .filter((one) => resource === undefined || one.resource === resource)
      .map(({ object }) => object as unknown as Kept<T>)
  }

  resourcesOwnedBy(uid: string): { resource: string; object: StoredObject }[] {
    return [...(this.#byOwner.get(uid) ?? [])].flatMap((one) => this.#byUid.get(one) ?? [])
  }

  resources(): Iterable<[string, ReadonlyMap<string, StoredObject>]> {
    return this.#byResource
  }

  /** Throws AwaitsAdmission where a webhook is asked first: the reconciliation begins anew (work-queue.ts). */
  create<T>(resource: string, object: object): Kept<T> {
    const isAsked = this.#admission !== undefined && WEBHOOKS.some((one) => this.count(one) > 0)
    const asked = isAsked ? this.#admission?.admitted(resource, withoutUndefined(object)) : object
    const made = this.objects.create(resource, asked as KubeObject)
    this.#take("ADDED", resource, made, true)
    return made as unknown as Kept<T>
  }

  /** What `change` makes of the newest; undefined leaves it. Undefined also where it is gone, or is another by this name. */
  patch<T>(
    resource: string,
    { metadata: { name, namespace, uid } }: Identified,
    change: (current: Kept<T>) => object | undefined,
    part: "object" | "status" | "scale" = "object",
  ): Kept<T> | undefined {
    const patched = this.objects.patch(
      resource,
      name,
      namespace,
      (current) => {
        const next = current.metadata.uid === uid ? change(current as unknown as Kept<T>) : undefined
        if (next === undefined) return undefined
        const whole = withoutUndefined(next)
        return part === "status" ? whole : this.#managed(resource, whole, current, part)
      },
      part === "status" ? "status" : "object",
    )
    if (patched === undefined) return undefined
    const isGone =
      patched.metadata.deletionTimestamp !== undefined &&
      this.objects.find(resource, name, namespace)?.metadata.uid !== uid
    this.#take(isGone ? "DELETED" : "MODIFIED", resource, patched, true)
    return patched as unknown as Kept<T>
  }

  /**
   * Who changes a field has it from then on: an autoscaler's replicas are no longer those of who applied them, and are told as a conflict. Of objects that
   * somebody else manages alone; what controllers make and statuses are theirs anyway.
   */
  #managed(resource: string, next: KubeObject, current: StoredObject, part: "object" | "scale"): KubeObject {
    if ((current.metadata.managedFields ?? []).length === 0) return next
    const kind = this.objects.kind(resource)
    if (kind.isCustom === true) return next
    const definition = kindDefinition(kind.group, kind.version, kind.kind)
    const writer = {
      manager: MANAGER,
      apiVersion: apiVersionOf(kind),
      ...(part === "scale" && { subresource: "scale" }),
    }
    return updateManaged({ ...next }, { ...current }, definition, writer) as unknown as KubeObject
  }

  patchStatus<T extends { status?: unknown }>(
    resource: string,
    object: Identified,
    status: (current: Kept<T>) => object | undefined,
  ): Kept<T> | undefined {
    return this.patch<T>(
      resource,
      object,
      (current) => {
        const next = status(current)
        return next && { ...current, status: next }
      },
      "status",
    )
  }

  /** Safe to repeat: what is gone, or another by this name, is passed over. */
  delete(resource: string, { metadata: { name, namespace, uid } }: Identified, options: DeleteOptions = {}): void {
    if (this.objects.find(resource, name, namespace)?.metadata.uid !== uid) return
    const left = this.objects.delete(resource, name, namespace, { ...options, uid })
    const isGone = this.objects.find(resource, name, namespace)?.metadata.uid !== uid
    this.#take(isGone ? "DELETED" : "MODIFIED", resource, left, true)
  }

  #readAll(): void {
    const seen = new Set<string>()
    for (const kind of this.objects.kinds()) {
      const resource = kind.group === "" ? kind.plural : `${kind.plural}.${kind.group}`
      if (NOT_CACHED.has(resource)) continue
      for (const object of this.objects.list(resource).items) {
        seen.add(object.metadata.uid)
        this.#take("ADDED", resource, object)
      }
    }
    // what went while nobody followed
    for (const { resource, object } of this.#byUid.values())
      if (!seen.has(object.metadata.uid)) this.#forget(resource, object)
  }

  #take(type: ObjectChange["type"], resource: string, object: StoredObject, isOwn = false): void {
    if (NOT_CACHED.has(resource)) return
    const { uid, name, namespace } = object.metadata
    const version = Number(object.metadata.resourceVersion)
    const removedAt = this.#removed.get(uid)
    if (removedAt !== undefined) {
      if (version >= removedAt) this.#removed.delete(uid)
      return
    }
    const known = this.#byUid.get(uid)?.object
    if (type === "DELETED") {
      if (known === undefined) return
      this.#forget(resource, object)
      // the watch has yet to tell of it, and of what came before
      if (isOwn) this.#removed.set(uid, version)
      return
    }
    if (known !== undefined && Number(known.metadata.resourceVersion) >= version) return
    const { managedFields: _, ...metadata } = object.metadata
    const slim: StoredObject = { ...object, metadata }
    this.#index(known, slim)
    let objects = this.#byResource.get(resource)
    if (objects === undefined) this.#byResource.set(resource, (objects = new Map()))
    objects.set(keyOf(namespace, name), slim)
    this.#byUid.set(uid, { resource, object: slim })
    this.#tell({ type: known === undefined ? "ADDED" : "MODIFIED", resource, object: slim, previous: known })
  }

  #forget(resource: string, object: StoredObject): void {
    const { uid, name, namespace } = object.metadata
    const known = this.#byUid.get(uid)?.object
    this.#index(known, undefined)
    this.#byUid.delete(uid)
    const objects = this.#byResource.get(resource)
    // another by this name may stand there by now
    if (objects?.get(keyOf(namespace, name))?.metadata.uid === uid) objects.delete(keyOf(namespace, name))
    this.#tell({ type: "DELETED", resource, object, previous: known })
  }

  #index(before: StoredObject | undefined, after: StoredObject | undefined): void {
    const uid = (after ?? before)?.metadata.uid
    if (uid === undefined) return
    for (const owner of before?.metadata.ownerReferences ?? []) {
      const owned = this.#byOwner.get(owner.uid)
      owned?.delete(uid)
      if (owned?.size === 0) this.#byOwner.delete(owner.uid)
    }
    for (const owner of after?.metadata.ownerReferences ?? []) {
      const owned = this.#byOwner.get(owner.uid)
      if (owned) owned.add(uid)
      else this.#byOwner.set(owner.uid, new Set([uid]))
    }
  }

  #tell(change: CachedChange): void {
    for (const listener of this.#listeners) listener(change)
  }
}

/** What is undefined is not there: a key of it would be a change. */
function withoutUndefined(object: object): KubeObject {
  return JSON.parse(JSON.stringify(object)) as KubeObject
}

/** Of an object in its kind: `namespace/name`, or `name`. */
export function keyOf(namespace: string | undefined, name: string): string {
  return namespace === undefined ? name : `${namespace}/${name}`
}
