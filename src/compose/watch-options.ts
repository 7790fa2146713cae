/** `watch`: what changes in the files of the host is done in the containers. The contract's part of it. */
import type { BuildEvent } from "../build/build.ts"
import type { OnComposeEvent } from "./compose-event.ts"
import type { Project } from "./project.ts"
import type { OnHookLine } from "./verbs.ts"

/** What is watched, and who hears of it. */
export interface WatchOptions {
  /** Empty: all that have a `develop.watch`. */
  services: readonly string[]
  /** Ends it. */
  signal: AbortSignal
  /** One line of what was done, without its newline; each names the file and the rule that caused it. */
  onLine(text: string): void
  onWarning(text: string): void
  /** Something could not be done; the watch goes on. */
  onFailure(error: unknown): void
  /** No line for each sync. */
  quiet?: boolean
  onHookLine?: OnHookLine | undefined
  onEvent?: OnComposeEvent | undefined
  onBuildEvent?: ((service: string, event: BuildEvent) => void) | undefined
  /** Removes images that rebuilds have left. */
  prune?: (() => Promise<void>) | undefined
  /** The project of the files as they are now; undefined: they are wrong, which it has told. Absent: changes of them are not followed. */
  reload?: (() => Promise<Project | undefined>) | undefined
}
