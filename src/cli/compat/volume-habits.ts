/** What a tool takes for granted about volumes. */
export interface VolumeHabits {
  /** `rm --force` takes the containers that use the volume with it; docker's only forgives what is not there. */
  readonly forceRemovesUsers: boolean
  /** Whether `prune` says above the names what they are, and below how much is free now. */
  readonly prunedHeading: boolean
}

/** Docker's, and skiff's own. */
export const VOLUME_HABITS: VolumeHabits = { forceRemovesUsers: false, prunedHeading: true }

/** Podman's. */
export const PODMAN_VOLUME_HABITS: VolumeHabits = { forceRemovesUsers: true, prunedHeading: false }
