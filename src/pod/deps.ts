import type { Containers } from "../container/container.ts"
import type { Networks } from "../network/network.ts"
import type { Sandboxes } from "../sandbox/sandbox.ts"
import type { FileLocks } from "../sys/fs/file-locks.ts"
import type { PodRecords } from "./records.ts"

/** What pods stand on; `engine/` gives it. */
export interface PodDeps {
  records: PodRecords
  locks: FileLocks
  containers(): Promise<Containers>
  sandboxes(): Promise<Sandboxes>
  networks(): Promise<Networks>
}
