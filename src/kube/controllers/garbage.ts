import type { StoredObject } from "../objects/objects.ts"
import { apiVersionOf, resourceKey } from "../objects/kinds.ts"
import type { OwnerReference } from "../objects/objects.ts"
import type { Cluster } from "./cluster.ts"
import type { Controller } from "./controller.ts"
import type { ControllerDeps } from "./pod-control.ts"

const FOREGROUND = "foregroundDeletion"
const ORPHAN = "orphan"

/** What an object's owners come to. */
export type Fate = "keep" | "delete" | "delete-foreground"

/** Whether an owner of that name and uid is there: undefined where nobody can tell. */
export type OwnerState = "there" | "gone" | "waiting"

/**
 * `gone` from all: it goes too. One that is deleted in the foreground waits for those that block it (kubernetes: garbagecollector.go,
 * attemptToDeleteItem). Pure.
 */
export function fateOf(owners: readonly { state: OwnerState; blocks: boolean }[]): Fate {
  if (owners.length === 0 || owners.some(({ state }) => state === "there")) return "keep"
  return owners.some(({ state }) => state === "waiting") ? "delete-foreground" : "delete"
}

/** Removes what is owned by what is gone; keeps owners that wait for what they own. */
export function garbageCollector({ cluster }: ControllerDeps): Controller {
  return {
    name: "garbage-collector",
    *keysOf({ resource, object, type }) {
      const { uid, ownerReferences = [], deletionTimestamp } = object.metadata
      // an owner that waits for it may go now
      for (const owner of ownerReferences) if (type === "DELETED") yield owner.uid
      if (type === "DELETED" || deletionTimestamp !== undefined)
        for (const one of cluster.resourcesOwnedBy(uid)) yield one.object.metadata.uid
      if (type !== "DELETED" && (deletionTimestamp !== undefined || ownerReferences.length > 0)) yield uid
      if (type === "DELETED" && resource === "namespaces") return
    },
    reconcile(uid) {
      const found = cluster.byUid(uid)
      if (found === undefined) return
      const { resource, object } = found
      const { finalizers = [], deletionTimestamp } = object.metadata
      if (deletionTimestamp !== undefined) {
        if (finalizers.includes(ORPHAN)) orphan(cluster, resource, object)
        else if (finalizers.includes(FOREGROUND)) foreground(cluster, resource, object)
        return
      }
      const owners = object.metadata.ownerReferences ?? []
      const fate = fateOf(
        owners.map((owner) => ({ state: stateOf(cluster, object, owner), blocks: owner.blockOwnerDeletion === true })),
      )
      if (fate === "keep") return
      cluster.delete(resource, object, fate === "delete" ? {} : { propagation: "Foreground" })
    },
  }
}

/** By uid alone: the name may be another's by now. What is not watched is asked of the store. */
function stateOf(cluster: Cluster, object: StoredObject, owner: OwnerReference): OwnerState {
  const found = cluster.byUid(owner.uid)?.object ?? asked(cluster, object, owner)
  if (found === undefined) return "gone"
  const { deletionTimestamp, finalizers = [] } = found.metadata
  return deletionTimestamp !== undefined && finalizers.includes(FOREGROUND) ? "waiting" : "there"
}

function asked(cluster: Cluster, object: StoredObject, owner: OwnerReference): StoredObject | undefined {
  const kind = cluster.objects
    .kinds()
    .find((one) => one.kind === owner.kind && apiVersionOf(one).split("/")[0] === owner.apiVersion.split("/")[0])
  // of a kind that nobody knows: nothing is said of it
  if (kind === undefined) return object
  const found = cluster.objects.find(
    resourceKey(kind),
    owner.name,
    kind.namespaced ? object.metadata.namespace : undefined,
  )
  return found?.metadata.uid === owner.uid ? found : undefined
}

function foreground(cluster: Cluster, resource: string, object: StoredObject): void {
  const owned = cluster.resourcesOwnedBy(object.metadata.uid)
  const blocking = owned.filter(({ object: one }) =>
    one.metadata.ownerReferences?.some(
      ({ uid, blockOwnerDeletion }) => uid === object.metadata.uid && blockOwnerDeletion,
    ),
  )
  for (const one of owned)
    if (one.object.metadata.deletionTimestamp === undefined) {
      const others = (one.object.metadata.ownerReferences ?? []).filter(({ uid }) => uid !== object.metadata.uid)
      if (others.some((owner) => stateOf(cluster, one.object, owner) === "there"))
        withoutOwner(cluster, one.resource, one.object, object.metadata.uid)
      else
        cluster.delete(one.resource, one.object, {
          propagation: hasOwned(cluster, one.object) ? "Foreground" : "Background",
        })
    }
  if (blocking.length === 0 || cluster.resourcesOwnedBy(object.metadata.uid).length === 0)
    withoutFinalizer(cluster, resource, object, FOREGROUND)
}

function hasOwned(cluster: Cluster, { metadata: { uid } }: StoredObject): boolean {
  return cluster.resourcesOwnedBy(uid).length > 0
}

function orphan(cluster: Cluster, resource: string, object: StoredObject): void {
  for (const one of cluster.resourcesOwnedBy(object.metadata.uid))
    withoutOwner(cluster, one.resource, one.object, object.metadata.uid)
  withoutFinalizer(cluster, resource, object, ORPHAN)
}

function withoutOwner(cluster: Cluster, resource: string, object: StoredObject, owner: string): void {
  cluster.patch(resource, object, (current) => ({
    ...current,
    metadata: {
      ...current.metadata,
      ownerReferences: (current.metadata.ownerReferences ?? []).filter(({ uid }) => uid !== owner),
    },
  }))
}

/** The last one taken away ends it. */
export function withoutFinalizer(cluster: Cluster, resource: string, object: StoredObject, finalizer: string): void {
  cluster.patch(resource, object, (current) => ({
    ...current,
    metadata: {
      ...current.metadata,
      finalizers: (current.metadata.finalizers ?? []).filter((one) => one !== finalizer),
    },
  }))
}
