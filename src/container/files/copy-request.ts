/** What is asked of a container's files, as the contract shows it. */

/** A path as it was typed: how it ends tells what is meant (`dir`, `dir/`, `dir/.`). A host path is absolute. */
export type CopyPlace = { container: string; path: string } | { hostPath: string }

/** How files are copied. */
export interface CopyOptions {
  abort?: AbortSignal | undefined
  /**
   * To a container: all belongs to the user that it runs as, where one is set. To the host: owners, set-id bits and
   * capabilities are kept, and are the caller's else.
   */
  archive?: boolean
  /** With `archive`, into a container that runs as no user that is named: all belongs to root. Default: owners are kept. */
  rootOwns?: boolean
  /** A source that is a link is what it leads to. */
  followLink?: boolean
  /** A directory may take another file's place, and the other way round. */
  overwrite?: boolean
  /** Receives how many bytes more have been copied. */
  onContent?: (bytes: number) => void
}
