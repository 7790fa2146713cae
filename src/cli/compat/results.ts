import type { PullResult } from "../../image/image.ts"

/** What commands print of what they have made or taken away. */
export interface Results {
  /** An image's id, of `commit` and `build -q`. */
  imageId(id: string): string
  /** Whether `build` prints the id also where it shows its progress. */
  readonly buildPrintsId: boolean
  /** Whether a build is told step by step as Buildah tells it, on standard output; else in BuildKit's form. */
  readonly buildsInSteps: boolean
  /** Where the progress of a pull is drawn: 2 keeps standard output for its last line. */
  readonly pullProgress: 1 | 2
  /** The last lines of a pull. */
  pulled(result: PullResult, quiet: boolean): string[]
  /** Whether `rmi --force` tells of what is not there. */
  readonly tellsMissing: boolean
  /** Whether `run` prints the id of a container whose output nobody sees. */
  readonly tellsUnseen: boolean
  /** Whether lists of images find a name without its registry. */
  readonly looseNames: boolean
  /** What a name without a registry means for an image that is made here. */
  newName(name: string): string
  /** A name that an archive brought, of its two forms. */
  loaded(name: { full: string; familiar: string }): string
  /** The line of `load` for an image that came without a name. */
  loadedNameless(id: string): string
  /** What `rmi` removed: the image, then its layers. */
  deleted(digests: readonly string[]): string[]
  /** Whether a prune of images, or of containers, tells nothing but what is gone. */
  readonly prunesNamesOnly: boolean
  /** The first line of a pull, of the full name. */
  pulling(name: string): string | undefined
  /** What a pod's verbs print of one that was called `name`. */
  pod(name: string, id: string): string
  /** Whether a terminal that is asked for and is none is a mistake, or told and passed over. */
  readonly needsTerminal: boolean
  /** What `update` says of a container that was called `name`. */
  updated(name: string, id: string): string
  /** What `exec --detach` prints of the program that it has started. */
  execStarted(id: string): string | undefined
  /** What `logout` prints; `all`: of all registries together. */
  readonly logouts: {
    done(registry: string, wasThere: boolean): string
    readonly all: string | undefined
    readonly missingFails: boolean
  }
  /** Whether `push` and `pull` take places besides registries: `oci:DIR`, `docker-archive:FILE`. */
  readonly takesTransports: boolean
  /** Whether `inspect --format json` is one array. */
  readonly jsonIsArray: boolean
}

/** Docker's. */
export const RESULTS: Results = {
  imageId: (id) => id,
  buildPrintsId: false,
  buildsInSteps: false,
  pullProgress: 1,
  pulled({ name, digest, changed }, quiet) {
    const familiar = name.replace(/^docker\.io\/(?:library\/)?/, "")
    const status = `Status: ${changed ? "Downloaded newer image" : "Image is up to date"} for ${familiar}`
    return [...(quiet ? [] : [`Digest: ${digest}`, status]), name]
  },
  looseNames: false,
  tellsUnseen: false,
  tellsMissing: true,
  newName: (name) => name,
  loaded: ({ familiar }) => familiar,
  loadedNameless: (id) => `Loaded image ID: ${id}`,
  deleted: (digests) => [...digests],
  updated: (name) => name,
  execStarted: () => undefined,
  logouts: {
    done: (registry, wasThere) =>
      wasThere ? `Removing login credentials for ${registry}` : `Not logged in to ${registry}`,
    all: undefined,
    missingFails: false,
  },
  takesTransports: false,
  jsonIsArray: false,
  prunesNamesOnly: false,
  pulling: () => undefined,
  pod: (name) => name,
  needsTerminal: true,
}

/** Podman's: ids without their algorithm, names in full, and nothing but the id on standard output. */
export const PODMAN_RESULTS: Results = {
  imageId: hexOf,
  buildPrintsId: true,
  buildsInSteps: true,
  pullProgress: 2,
  pulled: ({ image }) => [hexOf(image.id)],
  looseNames: true,
  tellsUnseen: true,
  tellsMissing: false,
  newName: localName,
  loaded: ({ full }) => full,
  loadedNameless: (id) => `Loaded image: ${id}`,
  updated: (_, id) => id,
  deleted: ([image]) => (image === undefined ? [] : [hexOf(image)]),
  execStarted: (id) => id,
  logouts: {
    done: (registry) => `Removed login credentials for ${registry}`,
    all: "Removed login credentials for all registries",
    missingFails: true,
  },
  takesTransports: true,
  jsonIsArray: true,
  prunesNamesOnly: true,
  pulling: (name) => `Trying to pull ${name}...`,
  pod: (_, id) => id,
  needsTerminal: false,
}

function hexOf(digest: string): string {
  return digest.replace(/^sha256:/, "")
}

/** Podman's `localhost/`, where the name begins with no registry. Pure. */
export function localName(name: string): string {
  const [first = "", ...rest] = name.split("/")
  return rest.length > 0 && (/[.:]/.test(first) || first === "localhost") ? name : `localhost/${name}`
}
