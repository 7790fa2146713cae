import type { PersistentVolume, PersistentVolumeClaim } from "kubernetes-types/core/v1"
import type { Cluster } from "./cluster.ts"
import type { Kept } from "./kept.ts"
import { quantity } from "./quantities.ts"

/** Of a PersistentVolume that was made for a claim: by whom. */
export const PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
/** Of a PersistentVolume that is a volume of ours: its name there. */
export const VOLUME_ANNOTATION = "io.skiff.volume"

/** The engine's volume of a claim that is bound; undefined: it is not, or its files are somewhere else. The volume must say so, too: anybody may name another's in his claim. */
export function claimVolumeName(cluster: Cluster, claim: Kept<PersistentVolumeClaim>): string | undefined {
  const { volumeName } = claim.spec ?? {}
  if (volumeName === undefined || claim.status?.phase !== "Bound") return undefined
  const volume = cluster.find<PersistentVolume>("persistentvolumes", volumeName)
  return volume?.spec?.claimRef?.uid === claim.metadata.uid
    ? volume.metadata.annotations?.[VOLUME_ANNOTATION]
    : undefined
}

/** What a claim was given, where the volume was made for it. */
export function provisionedBytes(cluster: Cluster, claim: Kept<PersistentVolumeClaim>): number | undefined {
  const volume = cluster.find<PersistentVolume>("persistentvolumes", claim.spec?.volumeName ?? "")
  if (volume?.metadata.annotations?.[PROVISIONED_BY] === undefined) return undefined
  return quantity(volume.spec?.capacity?.["storage"]) || undefined
}
