import { isDeepStrictEqual } from "node:util"
import type { ControllerRevision } from "kubernetes-types/apps/v1"
import type { StoredMetadata } from "../objects/objects.ts"
import type { Cluster } from "./cluster.ts"
import type { Kept } from "./kept.ts"
import { controllerReference, isControlledBy } from "./owners.ts"
import { hashOf, REVISION_HASH } from "./template-hash.ts"

export const REVISIONS = "controllerrevisions.apps"

interface Owner {
  apiVersion: string
  kind: string
  metadata: StoredMetadata
}

/**
 * The revision of a template, made where it is new, or the newest again where it was there before; old ones that nobody uses go, but for
 * the last `limit`.
 */
export function keepRevision(
  cluster: Cluster,
  owner: Owner,
  template: unknown,
  limit: number,
  isUsed: (revision: string) => boolean,
): { name: string; all: Kept<ControllerRevision>[] } {
  const own = (): Kept<ControllerRevision>[] =>
    cluster
      .ownedBy<ControllerRevision>(owner.metadata.uid, REVISIONS)
      .filter((one) => isControlledBy(one, owner))
      .toSorted((a, b) => a.revision - b.revision)
  const data = { spec: { template: { ...(template as object), $patch: "replace" } } }
  const all = own()
  const newest = Math.max(0, ...all.map(({ revision }) => revision))
  let current = all.findLast((one) => isDeepStrictEqual(plain(one.data), plain(data)))
  if (current === undefined && owner.metadata.deletionTimestamp === undefined)
    current = cluster.create<ControllerRevision>(REVISIONS, {
      apiVersion: "apps/v1",
      kind: "ControllerRevision",
      metadata: {
        name: `${owner.metadata.name}-${hashOf(data)}`,
        namespace: owner.metadata.namespace,
        labels: {
          ...(template as { metadata?: { labels?: object } } | undefined)?.metadata?.labels,
          [REVISION_HASH]: hashOf(data),
        },
        ownerReferences: [controllerReference(owner)],
      },
      data,
      revision: newest + 1,
    })
  else if (current !== undefined && current.revision < newest)
    current =
      cluster.patch<ControllerRevision>(REVISIONS, current, (now) => ({ ...now, revision: newest + 1 })) ?? current
  const name = current?.metadata.name ?? ""
  const old = own().filter((one) => one.metadata.name !== name && !isUsed(one.metadata.name))
  for (const one of old.slice(0, Math.max(0, old.length - limit))) cluster.delete(REVISIONS, one)
  return { name, all: own() }
}

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value ?? null)) as unknown
}
