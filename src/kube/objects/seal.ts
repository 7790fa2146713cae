import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto"
import { mkdirSync, readFileSync } from "node:fs"
import { atomicWrite } from "../../base/atomic-write.ts"
import { DataLoss, hasErrno } from "../../base/errors.ts"

const CIPHER = "aes-256-gcm"
const KEY_BYTES = 32
const IV_BYTES = 12
const TAG_BYTES = 16

/**
 * Secrets at rest: AES-256-GCM under a key of this store's, in a file that its owner alone reads. A copy of the records, a backup, a
 * page of a disk that was thrown away, tells nothing by itself.
 */
export class Seal {
  readonly #directory: string
  #key: Buffer | undefined

  /** `directory` is made when the first secret is. */
  constructor(directory: string) {
    this.#directory = directory
  }

  seal(text: string): Buffer {
    const iv = randomBytes(IV_BYTES)
    const cipher = createCipheriv(CIPHER, this.#readKey(true), iv)
    return Buffer.concat([iv, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()])
  }

  /** Throws DataLoss when the key is gone, or the bytes were changed. */
  open(sealed: Uint8Array): string {
    const bytes = Buffer.from(sealed)
    try {
      const decipher = createDecipheriv(CIPHER, this.#readKey(false), bytes.subarray(0, IV_BYTES))
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
      return decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES), undefined, "utf8") + decipher.final("utf8")
    } catch (cause) {
      throw new DataLoss(`a Secret cannot be opened with the key "${this.#file}"`, {
        hint: "put that file back from a backup, or delete the Secret and apply it again",
        cause,
      })
    }
  }

  get #file(): string {
    return `${this.#directory}/secrets.key`
  }

  #readKey(mayMake: boolean): Buffer {
    if (this.#key !== undefined) return this.#key
    try {
      this.#key = readFileSync(this.#file)
    } catch (error) {
      if (!mayMake || !hasErrno(error, "ENOENT")) throw error
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 })
      // inside the transaction of the write: nobody else makes one
      atomicWrite(this.#file, randomBytes(KEY_BYTES), { mode: 0o600, durable: true })
      this.#key = readFileSync(this.#file)
    }
    return this.#key
  }
}
