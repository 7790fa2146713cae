import { existsSync, rmSync, statfsSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"

const RESERVE_BYTES = 1024 * 1024
/** With less than this free, the disk is needed for other things. */
const WORTH_KEEPING_BYTES = 8 * RESERVE_BYTES
/** Less than some pages of a write-ahead log is as good as nothing. */
const FULL_BELOW_BYTES = 64 * 1024

/** A file of nothing, given up when the disk is full: so that the commands that free some space can write their records. */
export class SpaceReserve {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  /** Makes it, when it is not there and there is plenty of space. */
  keep(): void {
    if (!existsSync(this.#path) && this.#freeBytes() > WORTH_KEEPING_BYTES)
      writeFileSync(this.#path, Buffer.alloc(RESERVE_BYTES, "reserve "), { mode: 0o600 })
  }

  get isDiskFull(): boolean {
    return this.#freeBytes() < FULL_BELOW_BYTES
  }

  release(): void {
    rmSync(this.#path, { force: true })
  }

  #freeBytes(): number {
    const { bavail, bsize } = statfsSync(dirname(this.#path))
    return bavail * bsize
  }
}
