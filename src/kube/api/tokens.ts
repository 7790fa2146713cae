import { createHmac, randomBytes, randomUUID, timingSafeEqual } from "node:crypto"
import { mkdirSync, readFileSync } from "node:fs"
import { atomicWrite } from "../../base/atomic-write.ts"
import { hasErrno } from "../../base/errors.ts"
import { textAt } from "../field.ts"

const KEY_BYTES = 32
const [MIN_SECONDS, MAX_SECONDS] = [600, 86_400 * 365]
/** Who gives tokens, and who takes those that name no other audience: this API. */
export const ISSUER = "https://kubernetes.default.svc"
const MAX_TOKEN = 4096

/** An object that a token ends with. */
export interface BoundObject {
  kind: "Pod" | "Secret"
  name: string
  uid: string
}

/** A service account that a token names. */
export interface TokenAccount {
  namespace: string
  name: string
  uid: string
}

/** What a token says, once it is known to be ours. */
export interface VerifiedToken extends TokenAccount {
  /** Whom it may be shown to. */
  audiences: readonly string[]
  bound?: BoundObject
}

/** What is asked for beside the account. */
export interface TokenTerms {
  seconds: number
  /** Default: this API. */
  audiences?: readonly string[] | undefined
  bound?: BoundObject | undefined
}

/** Tokens of service accounts: JWTs under a key of this store's, which its owner alone reads. */
export class Tokens {
  readonly #directory: string
  #key: Buffer | undefined

  /** `directory` is made with the key. */
  constructor(directory: string) {
    this.#directory = directory
  }

  /** `expiresAt`: milliseconds since 1970. */
  issue(
    { namespace, name, uid }: TokenAccount,
    { seconds, audiences = [], bound }: TokenTerms,
  ): { token: string; expiresAt: number } {
    const now = Math.floor(Date.now() / 1000)
    const expires = now + Math.min(MAX_SECONDS, Math.max(MIN_SECONDS, Math.floor(seconds)))
    const claims = {
      aud: audiences.length > 0 ? audiences : [ISSUER],
      exp: expires,
      iat: now,
      iss: ISSUER,
      jti: randomUUID(),
      "kubernetes.io": {
        namespace,
        ...(bound && { [bound.kind.toLowerCase()]: { name: bound.name, uid: bound.uid } }),
        serviceaccount: { name, uid },
      },
      nbf: now,
      sub: `system:serviceaccount:${namespace}:${name}`,
    }
    const head = `${encoded({ alg: "HS256", typ: "JWT" })}.${encoded(claims)}`
    return { token: `${head}.${this.#sign(head)}`, expiresAt: expires * 1000 }
  }

  /** Undefined for what is no token of ours, or no longer one. */
  verify(token: string): VerifiedToken | undefined {
    if (token.length > MAX_TOKEN) return undefined
    const [head = "", claims = "", signature = "", ...rest] = token.split(".")
    if (rest.length > 0 || signature === "") return undefined
    const wanted = Buffer.from(this.#sign(`${head}.${claims}`))
    const given = Buffer.from(signature)
    if (wanted.length !== given.length || !timingSafeEqual(wanted, given)) return undefined
    const said = JSON.parse(Buffer.from(claims, "base64url").toString()) as unknown
    const expires = (said as { exp?: unknown }).exp
    if (typeof expires !== "number" || expires * 1000 < Date.now()) return undefined
    const own = (said as Record<string, unknown>)["kubernetes.io"]
    const kind = (["Pod", "Secret"] as const).find((one) => textAt(own, one.toLowerCase(), "uid") !== "")
    const place = kind?.toLowerCase() ?? ""
    return {
      audiences: textsOf((said as { aud?: unknown }).aud),
      ...(kind && { bound: { kind, name: textAt(own, place, "name"), uid: textAt(own, place, "uid") } }),
      namespace: textAt(own, "namespace"),
      name: textAt(own, "serviceaccount", "name"),
      uid: textAt(own, "serviceaccount", "uid"),
    }
  }

  #sign(text: string): string {
    return createHmac("sha256", this.#readKey()).update(text).digest("base64url")
  }

  #readKey(): Buffer {
    if (this.#key !== undefined) return this.#key
    const file = `${this.#directory}/tokens.key`
    try {
      this.#key = readFileSync(file)
    } catch (error) {
      if (!hasErrno(error, "ENOENT")) throw error
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 })
      atomicWrite(file, randomBytes(KEY_BYTES), { mode: 0o600, durable: true })
      this.#key = readFileSync(file)
    }
    return this.#key
  }
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url")
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : []
}
