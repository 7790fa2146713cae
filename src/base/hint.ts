/**
 * What the user can do about an error, as data: no domain knows how its front end is called or what its options are named.
 * `cli/` makes command lines and flags of it, an API leaves it out, a loader of files names keys of the file.
 *
 * A string is a sentence that is true for every front end: `expected NAME=value`, `boot with swapaccount=1`.
 */
export type Hint = string | Remedy | readonly (string | Remedy)[]

/** One thing to do. */
export type Remedy = Choice | OptionRemedy | ContainerRemedy | ImageRemedy | PlainRemedy

/** What would have been understood: one of a list, or the nearest of a long one. */
type Choice = { valid: readonly string[] } | { nearest: string }

/** An option of the call is given, or left out; `field` as in SkiffError. */
type OptionRemedy = { do: "set"; field: string; value?: string } | { do: "omit"; field: string }

/** `container`: its name, as people type it. */
type ContainerRemedy =
  | { do: "start" | "stop" | "unpause" | "remove" | "removeForced" | "rename" | "state" | "logs"; container: string }
  | { do: "removeWorkingContainer"; container: string }

/** `image`: its name, as people type it. */
type ImageRemedy = { do: "pull"; image: string; platform?: string } | { do: "tag" | "removeImageForced"; image: string }

type PlainRemedy =
  | {
      do:
        | "listContainers"
        | "listImages"
        | "listVolumes"
        | "listSecrets"
        | "listPods"
        | "listNetworks"
        | "listWorkingContainers"
    }
  | { do: "login"; registry: string }
  /** An archive of a root file system becomes an image. */
  | { do: "importRootfs" }
  /** An archive of images is brought in. */
  | { do: "loadImage" }
  /** A base image is made of packages: `debian:12-slim`. */
  | { do: "bootstrap"; base: string }
  /** Images, containers and caches that nobody needs go, or the store moves. */
  | { do: "freeSpace" }
  /** Everything goes, and the next call begins with an empty store. */
  | { do: "resetStore" }
  /** Vulnerabilities are looked up in a database, which is fetched. */
  | { do: "fetchVulnerabilityData" }
  /** See what this host lacks, and how each is repaired. */
  | { do: "diagnose" }
