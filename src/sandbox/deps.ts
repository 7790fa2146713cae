import type { Database } from "../base/database.ts"
import type { Events } from "../event/event.ts"
import type { Networks } from "../network/network.ts"
import type { SharedCgroups } from "../runtime/runtime.ts"
import type { FileLocks } from "../sys/fs/file-locks.ts"

/** A program that does nothing but reap: the first process of a pid namespace. */
export interface PauseProgram {
  /** It is copied to `/init` of a root of its own; absent: it runs in the host's. */
  file?: string
  /** What the process is called once it is that program, and nothing before it (proc_pid_comm(5)). */
  name: string
  /** Words that run it; `root`: the host path of that root. */
  command(root: string): readonly string[]
}

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
  /** Throws FailedPrecondition with the repair. */
  pauseProgram(): PauseProgram
}
