import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { user } from "./user.ts"

/** A file of the host, owned by the user under test, whose bytes, mode, owner and times no image may change. */
export class Canary {
  readonly directory = mkdtempSync(join(tmpdir(), "skiff-canary-"))
  readonly path = join(this.directory, "canary")
  readonly #before: string

  constructor() {
    writeFileSync(this.path, "alive")
    chmodSync(this.directory, 0o777)
    chmodSync(this.path, 0o644)
    chownSync(this.path, user.uid, user.gid)
    utimesSync(this.path, 1_700_000_000, 1_700_000_000)
    this.#before = this.#look()
  }

  /** Throws when anything of it has changed. */
  check(): void {
    const now = this.#look()
    if (now !== this.#before) throw new Error(`the canary was touched: ${this.#before} became ${now}`)
  }

  #look(): string {
    const { mode, uid, gid, mtimeMs, size } = statSync(this.path)
    return JSON.stringify({ text: readFileSync(this.path, "utf8"), mode, uid, gid, mtimeMs, size })
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true })
  }
}
