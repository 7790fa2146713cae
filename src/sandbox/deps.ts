import type { Database } from "../base/database.ts"
import type { Events } from "../event/event.ts"
import type { Networks } from "../network/network.ts"
import type { SharedCgroups } from "../runtime/runtime.ts"
import type { FileLocks } from "../sys/fs/file-locks.ts"

/** What sandboxes stand on; `engine/` gives it. */
export interface SandboxDeps {
  db: Database
  events: Pick<Events, "append">
  /** Volatile files: `<runRoot>/sandboxes/<id>/`. */
  runRoot: string
  bootId: string
  locks: FileLocks
  /** Whether this thread cannot come back from a network namespace, as its own belongs to another user namespace. */
  oneWay: boolean
  networks(): Promise<Networks>
  /** Loaded where a sandbox has a cgroup. */
  cgroups(): Promise<SharedCgroups>
  /** The containers in a sandbox, by name. */
  usedBy(id: string): readonly string[]
  /** Words of a program that does nothing but reap, the first of a pid namespace. Throws FailedPrecondition with the repair. */
  pauseCommand(): readonly string[]
}
