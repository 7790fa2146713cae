import { watch, type FSWatcher } from "node:fs"

/** `name` of what changed in the directory; undefined when that is not known. */
type Listener = (name: string | undefined) => void

interface Shared {
  watcher: FSWatcher
  listeners: Set<Listener>
}

const watched = new Map<string, Shared>()

/**
 * Hears of every change of a directory's entries: made, written, renamed, removed (inotify(7)). All listeners of one
 * directory share one watch. It keeps the process alive until it is disposed. Throws ENOENT.
 *
 * What happened before the call is not told: watch first, then look.
 */
export function watchDirectory(path: string, listener: Listener): Disposable {
  const shared = watched.get(path) ?? openWatch(path)
  shared.listeners.add(listener)
  return {
    [Symbol.dispose]() {
      if (!shared.listeners.delete(listener) || shared.listeners.size > 0) return
      shared.watcher.close()
      if (watched.get(path) === shared) watched.delete(path)
    },
  }
}

function openWatch(path: string): Shared {
  const listeners = new Set<Listener>()
  const tell = (name: string | undefined): void => {
    for (const listener of listeners) listener(name)
  }
  const watcher = watch(path, (_, name) => tell(name ?? undefined))
  const shared: Shared = { watcher, listeners }
  // the directory is gone: whoever comes next opens another, and the listeners look once more
  watcher.on("error", () => {
    watched.delete(path)
    tell(undefined)
  })
  watched.set(path, shared)
  return shared
}
