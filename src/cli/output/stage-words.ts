import { formatSize } from "../../base/sizes.ts"
import type { ProgressEvent, Stage } from "../../base/progress.ts"

type Words = string | ((event: ProgressEvent) => string)

/** Docker's where docker has such a stage. */
const WORDS: Readonly<Record<Stage, Words>> = {
  queued: "Pulling fs layer",
  waiting: "Waiting",
  downloading: "Downloading",
  verifying: "Verifying Checksum",
  downloaded: "Download complete",
  extracting: "Extracting",
  indexing: "Reading",
  indexed: "Read",
  added: "Pull complete",
  "added-partly": ({ current = 0, total = 0 }) =>
    `Pull complete: fetched ${formatSize(current)} of ${formatSize(total)}, the rest is here`,
  exists: "Already exists",
  "tag-defaulted": ({ subject }) => `Using default tag: ${subject}`,
  destination: ({ subject }) => `The push refers to repository [${subject}]`,
  preparing: "Preparing",
  compressing: "Compressing",
  uploading: "Pushing",
  uploaded: "Pushed",
  "exists-there": "Layer already exists",
  mounted: ({ subject }) => `Mounted from ${subject}`,
  attested: ({ subject, current }) => `Attached ${current} attestation${current === 1 ? "" : "s"} to ${subject}`,
  searching: "Looking for a static busybox",
  found: ({ subject, current }) => `Using ${subject} with ${current} commands`,
  "updating-lists": "Updating package lists",
  "downloading-packages": "Downloading packages",
  "unpacking-packages": "Unpacking packages",
  "installing-packages": "Installing packages",
  cleaning: "Cleaning up",
  packing: "Making the layer",
  isolated: ({ subject = "", reason }) =>
    `isolation: ${subject}${reason === undefined ? "" : ` (${reason})`}${SHARED[subject] ?? ""}`,
  "without-system-call-filter": "no seccomp filter is set for this step",
  "packages-found": ({ current }) => `found ${current} packages`,
  "not-inspected": ({ subject }) => `not looked into: ${subject}`,
  "exporting-layers": "exporting layers",
  "writing-image": ({ subject }) => `writing image ${subject}`,
  naming: ({ subject }) => `naming to ${subject}`,
  "cache-imported": ({ current }) => (current === 0 ? "it contains no cache" : `${current} steps`),
  "cache-not-imported": ({ reason }) => `not imported: ${reason}`,
  "cache-collecting": "preparing build cache for export",
  "cache-fetching": ({ subject }) => `fetching from ${subject}`,
  "cache-writing-layer": "writing layer",
  "cache-layer-written": "written",
  "cache-layer-gone": "no longer available where it was imported from",
  "cache-writing-config": "writing config",
  "cache-writing-manifest": ({ subject }) => `writing cache manifest ${subject}`,
}

/** What steps share with the place where the build runs, below full isolation. */
const SHARED: Readonly<Record<string, string>> = {
  userns: "; network and cgroup are shared",
  "single-uid": "; network and cgroup are shared, all files belong to root",
  chroot: "; network, cgroup and processes are shared",
}

/** Stages whose number is in their words. */
const COUNTED = new Set<Stage>(["added-partly", "attested", "found", "packages-found", "cache-imported"])

/** The words of a stage, without bytes that a display may add; see `hasFigures`. */
export function stageWords(event: ProgressEvent): string {
  const words = WORDS[event.stage]
  return typeof words === "string" ? words : words(event)
}

/** Whether `current` and `total` are bytes to be shown beside the words. */
export function hasFigures({ stage, current }: ProgressEvent): boolean {
  return current !== undefined && !COUNTED.has(stage)
}

/** Docker's words for all that `load` does with a layer; it does not tell of the rest. */
export const LOAD_WORDS: OwnWords = {
  queued: null,
  verifying: null,
  downloaded: null,
  extracting: null,
  indexing: null,
  indexed: null,
  downloading: "Loading layer",
  added: "Loaded",
}

/** Words of one command, in the place of all others'; null: it does not tell of that stage. */
export type OwnWords = Partial<Record<Stage, string | null>>

const DONE = new Set<Stage>(["added", "added-partly", "exists", "uploaded", "exists-there", "mounted"])

export function isDone({ stage }: ProgressEvent): boolean {
  return DONE.has(stage)
}
