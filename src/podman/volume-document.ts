import type { VolumeDetails } from "../volume/volume.ts"

/** What podman's document of a volume has beyond docker's. Pure. */
export function podmanVolumeKeys(volume: VolumeDetails): Record<string, unknown> {
  const { anonymous, owner, mountCount, isFresh, storageId } = volume
  return {
    Anonymous: anonymous,
    GID: owner.gid,
    LockNumber: 0,
    MountCount: mountCount,
    NeedsChown: isFresh && owner.uid === 0 && owner.gid === 0,
    NeedsCopyUp: isFresh,
    StorageID: storageId,
    Timeout: timeoutOf(volume),
    UID: owner.uid,
  }
}

/** Podman leaves the others away where they are nothing. */
export function shownVolumeKeys(keys: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const always = new Set(["LockNumber", "MountCount"])
  return Object.fromEntries(Object.entries(keys).filter(([name, value]) => always.has(name) || Boolean(value)))
}

/** Of a plugin's, as it was given. */
function timeoutOf({ options }: VolumeDetails): number {
  return Number(/(?:^|,)timeout=(\d+)/.exec(options.o ?? "")?.[1] ?? 0)
}
