import type { OnHookLine, Project, ProjectContainer } from "../../../compose/compose.ts"
import type { Engine } from "../../../engine/engine.ts"
import type { Out } from "../../out.ts"
import type { ComposeSession } from "../compose-session.ts"
import type { AttachFlags } from "./attach-flags.ts"

/** What an attached `up` shows, and when it ends. */
export interface AttachRequest {
  compose: ComposeSession
  engine: Engine
  out: Out
  project: Project
  /** Named by the caller; empty: all. */
  services: readonly string[]
  flags: AttachFlags
  /** Watches the project's files until the signal ends it. Absent: it has no rules for that. */
  watch?: ((project: Project, signal: AbortSignal, onLine: (text: string) => void) => Promise<void>) | undefined
}

/** What `up` has made, and is about to start. */
export interface Created {
  /** With the services that were asked for, and what they depend on, alone. */
  project: Project
  containers: readonly ProjectContainer[]
}

/** What `up` is told besides its own. */
export interface UpHearing {
  /** The containers are there: what follows on the screen is theirs. */
  onCreated: (created: Created) => void
  onHookLine: OnHookLine
  /** What is being started is left. */
  signal: AbortSignal
}
