/** What the life cycle of containers stands on; `engine/` gives it. Domains that cost time to load come when asked for. */
import type { Events } from "../event/event.ts"
import type { Meter } from "../meter/meter.ts"
import type { Image, Images } from "../image/image.ts"
import type { ContainerFiles, Networks } from "../network/network.ts"
import type { Runtimes } from "../runtime/runtime.ts"
import type { Sandboxes } from "../sandbox/sandbox.ts"
import type { Secrets } from "../secret/secret.ts"
import type { Snapshotter } from "../snapshot/snapshot.ts"
import type { Volumes } from "../volume/volume.ts"
import type { FileLocks } from "../sys/fs/file-locks.ts"
import type { ResolvedOptions } from "./container-options.ts"
import type { HealthRequest } from "./health/health.ts"
import type { ExecRecords } from "./exec-records.ts"
import type { ContainerRecords } from "./records.ts"

/** What the domain is handed. */
export interface ContainerDeps {
  /** Persistent files: `<root>/containers/<id>/`. */
  root: string
  /** Volatile files: `<runRoot>/<id>/`. */
  runRoot: string
  bootId: string
  records: ContainerRecords
  execs: ExecRecords
  locks: FileLocks
  files: ContainerFiles
  events: Events
  snapshots(): Promise<Snapshotter>
  images(): Promise<Images>
  networks(): Promise<Networks>
  volumes(): Promise<Volumes>
  secrets(): Promise<Secrets>
  sandboxes(): Promise<Sandboxes>
  runtimes(): Promise<Runtimes>
  meter(): Promise<Meter>
  /** How often somebody is to sample what containers use; undefined: nobody is. */
  samplingMs(): number | undefined
  /** Whether somebody wants to know what becomes known of what runs. */
  isWatched?(): boolean
  /** Words of the command that cleans up after the end of container `id`, or of an exec in it: conmon's exit command. */
  cleanupCommand(id: string, execId?: string): readonly string[]
  /** Throws PermissionDenied where a policy of the host's forbids the image, or to run it so; undefined: there is none. */
  admit?(image: Image, options: ResolvedOptions): Promise<void>
  /** One request into the network of a sandbox. Never throws: what fails is a failure. Absent: programs of containers ask. */
  ask?(sandbox: string, request: HealthRequest, timeoutMs: number): Promise<{ isOk: boolean; output: string }>
  /** There is something to do on time: has the supervisor run, unless it does. Costs a look at a lock. */
  supervise(): void
}
