import type { OnComposeEvent } from "../compose-event.ts"

/** How a project is published. */
export interface PublishOptions {
  /** Values of environment variables and env files may go out. */
  withEnvironment?: boolean
  /** Of the image specification; undefined: 1.1, and 1.0 where the registry refuses that. */
  ociVersion?: "1.0" | "1.1" | undefined
  /** Has images named by digest, which goes out as one more file. */
  lockImages?: (() => Promise<LockedImages>) | undefined
  /** The images that `lockImages` names are copied beside the project. */
  withImages?: boolean
  /** Whether what may be private goes out: the text ends with a question. Undefined: it does. */
  ask?: ((question: string) => Promise<boolean>) | undefined
  /** All is checked and asked, nothing is sent. */
  isDryRun?: boolean
  limit?: number | undefined
  signal?: AbortSignal | undefined
  onEvent?: OnComposeEvent
}

/** The images of a project, by digest. */
export interface LockedImages {
  images: readonly string[]
  /** A compose file that says so. */
  file: string
}
