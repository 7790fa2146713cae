/**
 * Progress as data. Domains report stages and numbers, front ends make words and bars of them: the terminal, the API's JSON.
 * One `id` is one line of a display (a layer, a base image); a later event of the same id replaces the earlier one. "" is the
 * whole call.
 */
export interface ProgressEvent {
  id: string
  stage: Stage
  /** What the stage is about besides the id: see each. */
  subject?: string
  /** Why it is so, as whoever decided it says. */
  reason?: string
  /** Bytes or items done so far, and in all where that is known. */
  current?: number
  total?: number
}

/** Hears of progress. It must not throw, and returns soon: the work waits for it. */
export type OnProgress = (event: ProgressEvent) => void

/** The step that a piece of work has come to. Front ends have words for each. */
export type Stage =
  // something comes in: a layer of pull, load, a build's base or cache
  | "queued"
  /** For its turn, or for another process that brings the same. */
  | "waiting"
  | "downloading"
  | "verifying"
  | "downloaded"
  | "extracting"
  /** What a layer holds is read, to be looked into. */
  | "indexing"
  | "indexed"
  | "added"
  /** As `added`; `current` bytes of `total` were fetched, the rest was here in other layers. */
  | "added-partly"
  /** It was there already. */
  | "exists"
  // something goes out: a layer of push, of a build's cache
  /** `subject`: the tag that is meant where none was given. */
  | "tag-defaulted"
  /** `subject`: the repository. */
  | "destination"
  | "preparing"
  | "compressing"
  | "uploading"
  | "uploaded"
  /** The registry had it already. */
  | "exists-there"
  /** `subject`: the repository of the same registry that had it. */
  | "mounted"
  /** `current` attestations; `subject`: the digest of what they are about. */
  | "attested"
  // a base image is made of packages
  | "searching"
  /** `subject`: the version; `current`: its commands. */
  | "found"
  | "updating-lists"
  | "downloading-packages"
  | "unpacking-packages"
  | "installing-packages"
  | "cleaning"
  | "packing"
  // a build
  /** `subject`: the level of isolation that a step has; `reason`: why it is less than full. */
  | "isolated"
  | "without-system-call-filter"
  /** `current` packages. */
  | "packages-found"
  /** `subject`: what no packages were looked for in. */
  | "not-inspected"
  | "exporting-layers"
  /** `subject`: the id. */
  | "writing-image"
  /** `subject`: the name. */
  | "naming"
  /** `current`: the steps in it. */
  | "cache-imported"
  /** `reason`: why. */
  | "cache-not-imported"
  | "cache-collecting"
  /** `subject`: the cache. */
  | "cache-fetching"
  | "cache-writing-layer"
  | "cache-layer-written"
  /** What the layer was imported from has it no more. */
  | "cache-layer-gone"
  | "cache-writing-config"
  /** `subject`: the digest. */
  | "cache-writing-manifest"

/** For callers that do not ask. */
export const noProgress: OnProgress = () => {}

const PROGRESS_EVERY_MS = 50

/** Passes on a count at most every 50 ms: more often nobody sees. The last one may be left out: a stage that follows tells. */
export function throttled(report: (count: number) => void): (count: number) => void {
  let reportedAt = 0
  return (count) => {
    const now = performance.now()
    if (now - reportedAt < PROGRESS_EVERY_MS) return
    reportedAt = now
    report(count)
  }
}
