/** What goes into the archive of a container's state. */
export interface ForensicsOptions {
  /** The contents of the files that it changed, and not their digests alone. */
  files?: boolean
  /** Further files of the archive. */
  documents?: readonly { name: string; text: string }[]
  abort?: AbortSignal | undefined
}
