/** Users of a registry, as htpasswd(1) writes them: `NAME:HASH` a line, by bcrypt alone. */
import { createHash, timingSafeEqual } from "node:crypto"
import { readFileSync, statSync } from "node:fs"
import { InvalidArgument } from "../../base/errors.ts"
import { isPassword } from "../../sys/password.ts"

/** A hash takes some 50 ms to try, which each request would pay: a right password is remembered for so long. */
const REMEMBERED_MS = 5 * 60 * 1000
const MAX_REMEMBERED = 1000

/** What somebody who is no user is compared with, so that the answer takes as long. */
const NOBODY = "$2b$10$4jWOqtv9qqgJbFpPjmPqFO5q8pQoOzYpRBl6cKtRfWauelKjvej0K"

/** The users of one file, which is read anew when it has changed. */
export class Htpasswd {
  readonly #path: string
  #hashes = new Map<string, string>()
  #version = ""
  readonly #remembered = new Map<string, { password: Buffer; hash: string; until: number }>()

  /** Throws InvalidArgument, naming the line. */
  constructor(path: string) {
    this.#path = path
    this.#read()
  }

  /** Whether the user is one, and the password is theirs. */
  async has(user: string, password: string): Promise<boolean> {
    this.#read()
    const hash = this.#hashes.get(user)
    const digest = createHash("sha256").update(password).digest()
    const known = this.#remembered.get(user)
    if (
      known !== undefined &&
      known.hash === hash &&
      known.until > Date.now() &&
      timingSafeEqual(known.password, digest)
    )
      return true
    const isRight = await isPassword(password, hash ?? NOBODY).catch(() => false)
    if (!isRight || hash === undefined) return false
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear()
    this.#remembered.set(user, { password: digest, hash, until: Date.now() + REMEMBERED_MS })
    return true
  }

  /** Whether there is such a user now. */
  knows(user: string): boolean {
    this.#read()
    return this.#hashes.has(user)
  }

  #read(): void {
    const { mtimeMs, size, ino } = statSync(this.#path)
    const version = `${ino} ${mtimeMs} ${size}`
    if (version === this.#version) return
    this.#hashes = parseHtpasswd(readFileSync(this.#path, "utf8"), this.#path)
    this.#version = version
  }
}

/** Pure. Throws InvalidArgument, naming the line. */
export function parseHtpasswd(text: string, path: string): Map<string, string> {
  const hashes = new Map<string, string>()
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim()
    if (line === "" || line.startsWith("#")) continue
    const [, user, hash] = /^([^:]+):(\$2[aby]\$\d\d\$[./A-Za-z0-9]{53})$/.exec(line) ?? []
    if (user === undefined || hash === undefined)
      throw new InvalidArgument(`line ${index + 1} of "${path}" is no user with a bcrypt hash`, {
        hint: `htpasswd -B ${path} NAME`,
      })
    hashes.set(user, hash)
  }
  return hashes
}
