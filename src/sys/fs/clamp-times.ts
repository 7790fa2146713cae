import { inSlices } from "../../base/time-slice.ts"
import { setTimesAt } from "./attributes.ts"
import { openRoot, tryOpenBeneath } from "./confined.ts"
import { readDirectory, statAt } from "./directory.ts"
import { close, libc, O_CLOEXEC, O_DIRECTORY, O_NOFOLLOW } from "../libc.ts"
import { checkNamed, rawCString } from "./raw-name.ts"

/**
 * Brings every file of a hostile tree that is younger than `epoch` (seconds) to that time, but for those that the tree
 * `base` has with the same time. Nothing is followed.
 */
export async function clampTimes(path: string, epoch: number, base?: string): Promise<void> {
  await inSlices(clamping(path, epoch, base))
}

function* clamping(path: string, epoch: number, base: string | undefined): Generator<void, void> {
  using fds = new DisposableStack()
  const root = fds.adopt(openRoot(path), close)
  const baseRoot = base === undefined ? undefined : fds.adopt(openRoot(base), close)
  const top = { directory: fds.adopt(openDirectory(root, "."), close), base: baseRoot }
  const clamp = new Clamp(BigInt(epoch))
  yield* clamp.below(top)
  clamp.one({ directory: root, base: baseRoot }, ".")
}

interface Visit {
  directory: number
  /** The same directory of the base; undefined when that has none. */
  base: number | undefined
}

class Clamp {
  readonly #limit: bigint

  constructor(limit: bigint) {
    this.#limit = limit
  }

  *below(visit: Visit): Generator<void, void> {
    for (const { name, isDirectory } of readDirectory(visit.directory)) {
      yield
      if (isDirectory) yield* this.#child(visit, name)
      this.one(visit, name)
    }
  }

  *#child({ directory, base }: Visit, name: string): Generator<void, void> {
    using fds = new DisposableStack()
    const child = fds.adopt(openDirectory(directory, name), close)
    const beneath = base === undefined ? undefined : tryOpenBeneath(base, name)
    if (beneath !== undefined) fds.adopt(beneath, close)
    yield* this.below({ directory: child, base: beneath })
  }

  one({ directory, base }: Visit, name: string): void {
    const mtime = statAt(directory, name)?.mtime
    if (mtime === undefined || mtime.seconds < this.#limit) return
    if (mtime.seconds === this.#limit && mtime.nanoseconds === 0) return
    const before = base === undefined ? undefined : statBelow(base, name)?.mtime
    if (before?.seconds === mtime.seconds && before.nanoseconds === mtime.nanoseconds) return
    setTimesAt(directory, name, { seconds: this.#limit, nanoseconds: 0 })
  }
}

/** What the base has in the directory's visit may be a file. */
function statBelow(base: number, name: string): ReturnType<typeof statAt> {
  try {
    return statAt(base, name)
  } catch {
    return undefined
  }
}

function openDirectory(parent: number, name: string): number {
  return checkNamed(libc.openat(parent, rawCString(name), O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0), "open", name)
}
