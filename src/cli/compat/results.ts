import type { PullResult } from "../../image/image.ts"

/** What commands print of what they have made or taken away. */
export interface Results {
  /** An image's id, of `commit` and `build -q`. */
  imageId(id: string): string
  /** Whether `build` prints the id also where it shows its progress. */
  readonly buildPrintsId: boolean
  /** Where the progress of a pull is drawn: 2 keeps standard output for its last line. */
  readonly pullProgress: 1 | 2
  /** The last lines of a pull. */
  pulled(result: PullResult, quiet: boolean): string[]
  /** What a name without a registry means for an image that is made here. */
  newName(name: string): string
  /** A name that an archive brought, of its two forms. */
  loaded(name: { full: string; familiar: string }): string
  /** What `rmi` removed: the image, then its layers. */
  deleted(digests: readonly string[]): string[]
  /** What `update` says of a container that was called `name`. */
  updated(name: string, id: string): string
  /** Whether `inspect --format json` is one array. */
  readonly jsonIsArray: boolean
}

/** Docker's. */
export const RESULTS: Results = {
  imageId: (id) => id,
  buildPrintsId: false,
  pullProgress: 1,
  pulled({ name, digest, changed }, quiet) {
    const familiar = name.replace(/^docker\.io\/(?:library\/)?/, "")
    const status = `Status: ${changed ? "Downloaded newer image" : "Image is up to date"} for ${familiar}`
    return [...(quiet ? [] : [`Digest: ${digest}`, status]), name]
  },
  newName: (name) => name,
  loaded: ({ familiar }) => familiar,
  deleted: (digests) => [...digests],
  updated: (name) => name,
  jsonIsArray: false,
}

/** Podman's: ids without their algorithm, names in full, and nothing but the id on standard output. */
export const PODMAN_RESULTS: Results = {
  imageId: hexOf,
  buildPrintsId: true,
  pullProgress: 2,
  pulled: ({ image }) => [hexOf(image.id)],
  newName: localName,
  loaded: ({ full }) => full,
  updated: (_, id) => id,
  deleted: ([image]) => (image === undefined ? [] : [hexOf(image)]),
  jsonIsArray: true,
}

function hexOf(digest: string): string {
  return digest.replace(/^sha256:/, "")
}

/** Podman's `localhost/`, where the name begins with no registry. Pure. */
export function localName(name: string): string {
  const [first = "", ...rest] = name.split("/")
  return rest.length > 0 && (/[.:]/.test(first) || first === "localhost") ? name : `localhost/${name}`
}
