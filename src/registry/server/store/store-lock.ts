import { openSync } from "node:fs"
import { join } from "node:path"
import { lockFile, unlock, unlockAndClose } from "../../../sys/libc.ts"

/**
 * The lock of one directory, for all servers and collectors of it. It is taken for the few system calls between a look and what the look
 * decides, so that no collector takes away what was just said to be there.
 */
export class StoreLock implements Disposable {
  readonly #root: string
  #fd: number | undefined

  constructor(root: string) {
    this.#root = root
  }

  /** Runs `body` alone. It must not await: who waits blocks its whole process. */
  during<T>(body: () => T): T {
    const fd = (this.#fd ??= openSync(join(this.#root, "lock"), "a", 0o600))
    lockFile(fd)
    try {
      return body()
    } finally {
      unlock(fd)
    }
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) unlockAndClose(this.#fd)
    this.#fd = undefined
  }
}
