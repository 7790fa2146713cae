import { closeSync, constants, fstatSync, mkdirSync, openSync, statSync, unlinkSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import { throwIfAborted } from "../../base/cancel.ts"
import { hasErrno, Unavailable } from "../../base/errors.ts"
import { shortId } from "../../base/short-id.ts"
import { O_CLOEXEC, tryLock, unlockAndClose } from "../libc.ts"

const MAX_POLL_MS = 25

/** A lock, held. Disposing it, or the death of this process, lets go. */
export interface HeldLock extends Disposable {
  /** Removes the lock file too, when what it guards is gone. Still held until disposed. */
  unlink(): void
}

export interface LockWait {
  waitMs?: number
  signal?: AbortSignal | undefined
}

/** One lock file for each thing of a kind, between processes (flock(2)). Whoever changes the thing holds it. */
export class FileLocks {
  readonly #directory: string
  readonly #kind: string

  /** `kind`: what is locked, for messages. */
  constructor(directory: string, kind: string) {
    this.#directory = directory
    this.#kind = kind
  }

  /** Waits for the lock. Throws Unavailable after `waitMs`, and Cancelled. */
  async acquire(name: string, { waitMs = 120_000, signal }: LockWait = {}): Promise<HeldLock> {
    const deadline = Date.now() + waitMs
    for (let pollMs = 1; ; pollMs = Math.min(pollMs * 2, MAX_POLL_MS)) {
      const held = this.tryAcquire(name)
      if (held) return held
      if (Date.now() > deadline)
        throw new Unavailable(
          `${this.#kind} "${shortId(name)}" is being changed by another skiff for ${waitMs / 1000} s`,
          {
            hint: "see what it does: ps -ef | grep skiff",
          },
        )
      throwIfAborted(signal, `waiting for ${this.#kind} "${shortId(name)}"`)
      await sleep(pollMs)
    }
  }

  /** The lock, or undefined when another process holds it. */
  tryAcquire(name: string): HeldLock | undefined {
    const path = `${this.#directory}/${name}`
    for (;;) {
      // close-on-exec: a monitor that inherited it would hold the lock for the container's life
      const fd = this.#open(path)
      if (!tryLock(fd)) {
        closeSync(fd)
        return undefined
      }
      // between open and lock, another may have unlinked this file: its lock would exclude nobody
      if (isSameFile(fd, path)) return heldLock(fd, path)
      closeSync(fd)
    }
  }

  #open(path: string): number {
    const flags = constants.O_CREAT | constants.O_RDWR | constants.O_NOFOLLOW | O_CLOEXEC
    try {
      return openSync(path, flags, 0o600)
    } catch (error) {
      if (!hasErrno(error, "ENOENT")) throw error
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 })
      return openSync(path, flags, 0o600)
    }
  }
}

function heldLock(fd: number, path: string): HeldLock {
  return {
    unlink: () => {
      try {
        unlinkSync(path)
      } catch (error) {
        if (!hasErrno(error, "ENOENT")) throw error
      }
    },
    [Symbol.dispose]: () => unlockAndClose(fd),
  }
}

function isSameFile(fd: number, path: string): boolean {
  const named = statSync(path, { throwIfNoEntry: false })
  return named !== undefined && named.ino === fstatSync(fd).ino
}
