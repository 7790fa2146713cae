/**
 * Tokens that a user gets for a password, and that are good for a while: JWT (RFC 7519) by HMAC-SHA-256 with a key of this registry's
 * directory. The key and the algorithm are never the token's to choose (CVE-2025-24976): a token is what we would have written, or none.
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { atomicWrite } from "../../base/atomic-write.ts"
import { hasErrno } from "../../base/errors.ts"

const HEADER = encode({ alg: "HS256", typ: "JWT" })
const KEY_BYTES = 32
/** Long enough for a large push: a client asks for a new one when it is over. */
export const TOKEN_SECONDS = 300

/** Issues and reads tokens. */
export class Tokens {
  readonly #key: Buffer

  constructor(key: Buffer) {
    this.#key = key
  }

  issue(user: string, nowMs = Date.now()): string {
    const seconds = Math.floor(nowMs / 1000)
    const body = `${HEADER}.${encode({ sub: user, iat: seconds, exp: seconds + TOKEN_SECONDS })}`
    return `${body}.${this.#sign(body)}`
  }

  /** Whose the token is; undefined for one that is not ours, or is over. */
  user(token: string, nowMs = Date.now()): string | undefined {
    const [header, payload, signature, ...more] = token.split(".")
    if (header !== HEADER || payload === undefined || signature === undefined || more.length > 0) return undefined
    const right = Buffer.from(this.#sign(`${header}.${payload}`))
    const given = Buffer.from(signature)
    if (right.length !== given.length || !timingSafeEqual(right, given)) return undefined
    const { sub, exp } = JSON.parse(Buffer.from(payload, "base64url").toString()) as { sub: string; exp: number }
    return exp * 1000 > nowMs ? sub : undefined
  }

  #sign(body: string): string {
    return createHmac("sha256", this.#key).update(body).digest("base64url")
  }
}

/** The key of a registry's directory, made when it is not there: servers of one directory take each other's tokens. */
export function tokensOf(directory: string | undefined): Tokens {
  if (directory === undefined) return new Tokens(randomBytes(KEY_BYTES))
  const path = join(directory, "token.key")
  const key = readKey(path) ?? writtenKey(path)
  return new Tokens(key)
}

function readKey(path: string): Buffer | undefined {
  try {
    const key = readFileSync(path)
    return key.length === KEY_BYTES ? key : undefined
  } catch (error) {
    if (hasErrno(error, "ENOENT")) return undefined
    throw error
  }
}

/** Of two servers that begin at once, the later key counts: a token of the other asks its client to log in again. */
function writtenKey(path: string): Buffer {
  atomicWrite(path, randomBytes(KEY_BYTES), { durable: true })
  return readFileSync(path)
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url")
}
