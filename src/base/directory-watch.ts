import { watch, type FSWatcher } from "node:fs"
import { hasErrno } from "./errors.ts"

/** `name` of what changed in the directory; undefined when that is not known. */
type Listener = (name: string | undefined) => void

interface Shared {
  watcher: Pick<FSWatcher, "close">
  listeners: Set<Listener>
}

/** Where inotify is used up. */
const LOOK_MS = 50
/** Bun's fs.watch drops what comes within the same millisecond as what it told last: so the listeners look once more after it. */
const LOOK_AGAIN_MS = 4

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
  let again: NodeJS.Timeout | undefined
  let isNewer = false
  const lookAgain = (): void => {
    again = setTimeout(() => {
      again = undefined
      // what came just now may have been the last that is told: its own time has to pass, too
      if (isNewer) lookAgain()
      isNewer = false
      tell(undefined)
    }, LOOK_AGAIN_MS)
  }
  const watcher = tryWatch(path, (name) => {
    if (again === undefined) lookAgain()
    else isNewer = true
    tell(name)
  })
  const source = watcher ?? lookNowAndThen(tell)
  const close = (): void => {
    clearTimeout(again)
    source.close()
  }
  const shared: Shared = { watcher: { close }, listeners }
  watched.set(path, shared)
  // the directory is gone: whoever comes next opens another, and the listeners look once more
  watcher?.on("error", () => {
    watched.delete(path)
    tell(undefined)
  })
  return shared
}

/** Undefined when the user has no more watches: inotify(7) gives each 128 instances, for all of his processes. */
function tryWatch(path: string, tell: Listener): FSWatcher | undefined {
  try {
    return watch(path, (_, name) => tell(name ?? undefined))
  } catch (error) {
    if (hasErrno(error, "EMFILE", "ENFILE", "ENOSPC")) return undefined
    throw error
  }
}

function lookNowAndThen(tell: Listener): Pick<FSWatcher, "close"> {
  const timer = setInterval(() => tell(undefined), LOOK_MS)
  return { close: () => clearInterval(timer) }
}
