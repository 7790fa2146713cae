import type { CachedChange } from "./cluster.ts"
import type { Worker } from "./work-queue.ts"

/** Makes the objects of one kind true: called with a key again whenever something that it looks at has changed. Safe to repeat. */
export interface Controller extends Worker {
  /** Keys of what is to be looked at again after this change. */
  keysOf(change: CachedChange): Iterable<string>
}
