import { closeSync, openSync, unlinkSync, writeSync } from "node:fs"
import { AlreadyExists, hasErrno } from "../base/errors.ts"

/** `--cidfile`, `--pod-id-file`: taken before the container is made, so that no two runs share one; removed again when none was made. */
export class CidFile implements Disposable {
  readonly #path: string
  #fd: number | undefined
  #written = false

  constructor(path: string, kind: "container" | "pod" = "container") {
    this.#path = path
    try {
      this.#fd = openSync(path, "wx", 0o644)
    } catch (cause) {
      if (!hasErrno(cause, "EEXIST")) throw cause
      throw new AlreadyExists(`${kind} ID file found: "${path}"`, {
        hint: `make sure the other ${kind} isn't running, or delete ${path}`,
        cause,
        data: { object: "idFile", kind, path },
      })
    }
  }

  write(id: string): void {
    if (this.#fd === undefined) return
    writeSync(this.#fd, id)
    this.#written = true
  }

  [Symbol.dispose](): void {
    if (this.#fd === undefined) return
    closeSync(this.#fd)
    this.#fd = undefined
    if (!this.#written) unlinkSync(this.#path)
  }
}
