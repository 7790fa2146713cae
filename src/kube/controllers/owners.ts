import type { OwnerReference, StoredMetadata, StoredObject } from "../objects/objects.ts"
import type { CachedChange, Cluster } from "./cluster.ts"
import { keyOf } from "./cluster.ts"
import type { Kept } from "./kept.ts"

interface Named {
  apiVersion: string
  kind: string
  metadata: StoredMetadata
}

/** Of the one that manages it. */
export function controllerOf({ metadata }: Pick<StoredObject, "metadata">): OwnerReference | undefined {
  return metadata.ownerReferences?.find(({ controller }) => controller)
}

export function isControlledBy(object: Pick<StoredObject, "metadata">, owner: Pick<StoredObject, "metadata">): boolean {
  return controllerOf(object)?.uid === owner.metadata.uid
}

/** As a controller writes itself into what it makes. */
export function controllerReference({ apiVersion, kind, metadata }: Named): OwnerReference {
  const { name, uid } = metadata
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }
}

/** Keys of the owners, of this kind, of what changed: that it has, and that it had. */
export function ownerKeys({ object, previous }: CachedChange, kind: string): string[] {
  const keys = new Set<string>()
  for (const one of [object, previous]) {
    const owner = one && controllerOf(one)
    if (owner?.kind === kind) keys.add(keyOf(object.metadata.namespace, owner.name))
  }
  return [...keys]
}

/** Keys of the owners of this resource that would take it: it has none, and fits. */
export function adopterKeys<T>(
  cluster: Cluster,
  resource: string,
  { object, type }: CachedChange,
  fits: (owner: Kept<T>) => boolean,
): string[] {
  if (type === "DELETED" || controllerOf(object) !== undefined) return []
  const { namespace } = object.metadata
  return cluster
    .list<T>(resource, namespace)
    .filter(fits)
    .map(({ metadata }) => keyOf(metadata.namespace, metadata.name))
}

/**
 * What an owner has: what it controls and still fits. Takes in what fits and nobody controls; lets go of what no longer fits
 * (kubernetes: controller_ref_manager.go).
 */
export function claim<T>(
  cluster: Cluster,
  resource: string,
  owner: Named,
  fits: (object: Kept<T>) => boolean,
): Kept<T>[] {
  const owned = cluster.ownedBy<T>(owner.metadata.uid, resource).filter((one) => isControlledBy(one, owner))
  if (owner.metadata.deletionTimestamp !== undefined) return owned.filter(fits)
  for (const object of owned)
    if (!fits(object) && object.metadata.deletionTimestamp === undefined) release(cluster, resource, owner, object)
  const adopted = cluster
    .list<T>(resource, owner.metadata.namespace)
    .filter((one) => controllerOf(one) === undefined && one.metadata.deletionTimestamp === undefined && fits(one))
    .flatMap((one) => adopt(cluster, resource, owner, one) ?? [])
  return [...owned.filter(fits), ...adopted]
}

function adopt<T>(cluster: Cluster, resource: string, owner: Named, object: Kept<T>): Kept<T> | undefined {
  return cluster.patch<T>(resource, object, (current) =>
    controllerOf(current) === undefined
      ? {
          ...current,
          metadata: {
            ...current.metadata,
            ownerReferences: [...(current.metadata.ownerReferences ?? []), controllerReference(owner)],
          },
        }
      : undefined,
  )
}

function release<T>(cluster: Cluster, resource: string, owner: Named, object: Kept<T>): void {
  cluster.patch<T>(resource, object, (current) => ({
    ...current,
    metadata: {
      ...current.metadata,
      ownerReferences: (current.metadata.ownerReferences ?? []).filter(({ uid }) => uid !== owner.metadata.uid),
    },
  }))
}
