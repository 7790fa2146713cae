/** What a tool takes for granted about volumes. */
export interface VolumeHabits {
  /** `rm --force` takes the containers that use the volume with it; docker's only forgives what is not there. */
  readonly forceRemovesUsers: boolean
  /** `rm --force` prints also the name of one that was not there. */
  readonly forceTellsMissing: boolean
  /** Whether a list of nothing has a heading. */
  readonly emptyHeading: boolean
  /** Whether `prune` says above the names what they are, and below how much is free now. */
  readonly prunedHeading: boolean
}

/** Docker's, and skiff's own. */
export const VOLUME_HABITS: VolumeHabits = {
  forceRemovesUsers: false,
  forceTellsMissing: true,
  emptyHeading: true,
  prunedHeading: true,
}

/** Podman's. */
export const PODMAN_VOLUME_HABITS: VolumeHabits = {
  forceRemovesUsers: true,
  forceTellsMissing: false,
  emptyHeading: false,
  prunedHeading: false,
}
