import { basename, dirname } from "node:path"
import { watchDirectory } from "./directory-watch.ts"
import type { Database } from "./database.ts"

const SHORTEST_WAIT_MS = 1
const LONGEST_WAIT_MS = 32

/**
 * Calls `onChange` after every commit to the records, of this or any other process, within a millisecond or two; sometimes
 * without one. Keeps the process alive until it is disposed.
 *
 * Each commit writes to SQLite's log file, beside the database: inotify on the directory tells of it, also when the log is
 * begun anew after a checkpoint, or removed and made again by the last and the first connection. A commit becomes visible a
 * moment after its bytes are in the log. So a writer that is at work when we are woken may be just there, and stopped for any
 * time: as long as there is one we look again. When there is none, all that was written before can be read.
 */
export function watchDatabase(db: Database, onChange: () => void): Disposable {
  const [file, log] = [basename(db.path), `${basename(db.path)}-wal`]
  let timer: ReturnType<typeof setTimeout> | undefined
  const look = (waitMs: number): void => {
    clearTimeout(timer)
    timer = undefined
    // asked before the reader reads: what it says of the past holds for what is read then
    if (db.hasWriter()) timer = setTimeout(look, waitMs, Math.min(waitMs * 2, LONGEST_WAIT_MS))
    onChange()
  }
  let isQueued = false
  let isDisposed = false
  const watch = watchDirectory(dirname(db.path), (name) => {
    if (name !== undefined && name !== log && name !== file) return
    if (isQueued) return
    // the events of one commit come together
    isQueued = true
    queueMicrotask(() => {
      isQueued = false
      if (!isDisposed) look(SHORTEST_WAIT_MS)
    })
  })
  return {
    [Symbol.dispose]() {
      isDisposed = true
      clearTimeout(timer)
      watch[Symbol.dispose]()
    },
  }
}
