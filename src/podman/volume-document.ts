import type { Volume } from "../volume/volume.ts"

/** What podman's document of a volume has beyond docker's. Pure. */
export function podmanVolumeKeys({ anonymous }: Volume): Record<string, unknown> {
  return {
    Anonymous: anonymous,
    GID: 0,
    LockNumber: 0,
    MountCount: 0,
    NeedsChown: false,
    NeedsCopyUp: false,
    StorageID: "",
    Timeout: 0,
    UID: 0,
  }
}
