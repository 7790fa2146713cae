/**
 * The objects of the cluster that one machine is: kept, versioned, watched. What the API server's store (etcd) is to Kubernetes.
 *
 *   create ─▶ kept ─ update, updateStatus ─▶ kept … delete ─▶ (deletionTimestamp, while finalizers or a pod's grace hold it) ─▶ gone
 *
 * Every change is one transaction: the object's row, and a row of the change that watchers read. `resourceVersion` is one number for
 * the whole store that grows with each change; an update that names an older one is refused (Conflict), so nobody overwrites what
 * he has not read. An update that changes nothing is no change.
 *
 * Who calls this has decided that it may be done: what is asked for by people goes through the API (api/), which fills in defaults,
 * validates and authorises. What every creation must pass, also that of a controller (quotas, limit ranges), is `admit`.
 */
import type { KubeObject } from "../kube-object.ts"
import type { ResourceKind } from "./kinds.ts"

/** An object as it is kept: `metadata` has uid, resourceVersion, creationTimestamp, and generation where there is a spec. */
export interface StoredObject extends KubeObject {
  metadata: StoredMetadata
}

export interface StoredMetadata {
  name: string
  namespace?: string
  uid: string
  resourceVersion: string
  /** RFC 3339, in seconds. */
  creationTimestamp: string
  generation?: number
  labels?: Readonly<Record<string, string>>
  annotations?: Readonly<Record<string, string>>
  deletionTimestamp?: string
  deletionGracePeriodSeconds?: number
  finalizers?: readonly string[]
  ownerReferences?: readonly OwnerReference[]
  managedFields?: readonly unknown[]
  [key: string]: unknown
}

export interface OwnerReference {
  apiVersion: string
  kind: string
  name: string
  uid: string
  controller?: boolean
  blockOwnerDeletion?: boolean
}

/** What becomes of what an object owns. */
export type Propagation = "Background" | "Foreground" | "Orphan"

export interface DeleteOptions {
  propagation?: Propagation
  /** Of a pod: how long its end may take. 0: its record goes at once; that is the node agent's word that it has ended. */
  graceSeconds?: number
  /** Only this very object. */
  uid?: string
  resourceVersion?: string
}

export interface ListOptions {
  /** Undefined: all. */
  namespace?: string | undefined
  /** Must fit. */
  fits?: ((object: StoredObject) => boolean) | undefined
}

export interface ObjectList {
  items: StoredObject[]
  /** Of the store, when the list was read: a watch from here misses nothing. */
  resourceVersion: string
}

export interface ObjectChange {
  type: "ADDED" | "MODIFIED" | "DELETED"
  /** `pods`, `deployments.apps`. */
  resource: string
  object: StoredObject
}

export interface WatchOptions {
  /** Keys of resources; undefined: all. */
  resources?: readonly string[]
  namespace?: string | undefined
  /** What comes after this version; undefined: after now. Throws Expired when it is older than what is kept. */
  since?: string | undefined
  signal?: AbortSignal | undefined
}

/** The objects of one store. Calls are one transaction each, and may be made in a transaction of the caller's. */
export interface KubeObjects {
  /** All that is served, the user's own among them. */
  kinds(): readonly ResourceKind[]
  /** By key, `deployments.apps`. Throws NotFound. */
  kind(resource: string): ResourceKind
  /** Throws NotFound with the reason that kubectl knows. `namespace` of a namespaced kind alone. */
  get(resource: string, name: string, namespace?: string): StoredObject
  find(resource: string, name: string, namespace?: string): StoredObject | undefined
  /** Ordered by namespace and name. */
  list(resource: string, options?: ListOptions): ObjectList
  /**
   * Throws AlreadyExists; NotFound for a namespace that is not there; PermissionDenied for one that is being deleted, or by `admit`.
   * `metadata.generateName` makes a name of five letters of chance.
   */
  create(resource: string, object: KubeObject): StoredObject
  /**
   * In place of what is there, but for its status. With a resourceVersion that is not the newest: FailedPrecondition, reason Conflict.
   * Takes a finalizer away: of an object that is being deleted the last one ends it.
   */
  update(resource: string, object: KubeObject): StoredObject
  /** Its status alone is taken over. */
  updateStatus(resource: string, object: KubeObject): StoredObject
  /**
   * The update that a change of what is newest makes, tried again when somebody was faster. `change` returns the new object, or
   * undefined to leave it. Undefined: it is not there, or was left.
   */
  patch(
    resource: string,
    name: string,
    namespace: string | undefined,
    change: (current: StoredObject) => KubeObject | undefined,
    part?: "object" | "status",
  ): StoredObject | undefined
  /** What it is now: gone, or marked. Throws NotFound; FailedPrecondition, reason Conflict, for another uid or version. */
  delete(resource: string, name: string, namespace?: string, options?: DeleteOptions): StoredObject
  /** Removes all of them at once, whatever holds them: of a store that is given up. Who watches is told of each. */
  clear(): void
  /** In order, of this and every other process. Watches from the moment that it is called. Ends when `signal` is aborted. */
  watch(options?: WatchOptions): AsyncIterableIterator<ObjectChange> & AsyncDisposable
  /** Of the newest change. */
  resourceVersion(): string
  /** Whether there is anything that a controller or the node agent must see to. Cheap. */
  needsControl(): boolean
}

/** Reasons of Kubernetes' Status that our errors carry in `data.reason`, where the code alone does not say it. */
export type StatusReason = "Conflict" | "Expired" | "Invalid" | "Forbidden" | "NotFound" | "AlreadyExists"
