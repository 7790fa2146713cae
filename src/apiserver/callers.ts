import { randomBytes, timingSafeEqual } from "node:crypto"
import { mkdirSync, readFileSync } from "node:fs"
import type { IncomingHttpHeaders } from "node:http"
import type { Socket } from "node:net"
import type { TLSSocket } from "node:tls"
import { atomicWrite } from "../base/atomic-write.ts"
import { hasErrno } from "../base/errors.ts"
import { accountOf, OWNER, Tokens, type ApiUser, type KubeObjects } from "../kube/kube.ts"

const TOKEN_BYTES = 32
const MASTERS = "system:masters"

/** Knows who asks by what they bring. */
export class Callers {
  readonly #objects: KubeObjects
  readonly #tokens: Tokens
  readonly #ownerToken: string

  /** Reads the owner's token in `directory`, or makes it. */
  constructor(directory: string, objects: KubeObjects) {
    this.#objects = objects
    this.#tokens = new Tokens(directory)
    this.#ownerToken = readToken(directory)
  }

  get ownerToken(): string {
    return this.#ownerToken
  }

  /** Undefined: it is nobody whom we know. Who may do all may ask as another. `socket`: of TLS, by which a certificate of ours may have come. */
  of(headers: IncomingHttpHeaders, socket?: Socket): ApiUser | undefined {
    const [, token = ""] = /^Bearer (\S+)$/i.exec(headers.authorization ?? "") ?? []
    const user = certified(socket) ?? this.#owner(token) ?? this.#account(token)
    const as = headers["impersonate-user"]
    const isAsked = Object.keys(headers).some((name) => name.startsWith("impersonate-"))
    if (user === undefined || !isAsked) return user
    // half a word of whom to be must not end in more than was meant: groups without a user
    if (typeof as !== "string" || as === "" || !user.groups.includes(MASTERS)) return undefined
    const asked = headers["impersonate-group"]
    const groups = (Array.isArray(asked) ? asked : (asked ?? "").split(","))
      .map((one) => one.trim())
      .filter((one) => one !== "")
    return { name: as, groups: [...groups, "system:authenticated"] }
  }

  #owner(token: string): ApiUser | undefined {
    const [given, wanted] = [Buffer.from(token), Buffer.from(this.#ownerToken)]
    return given.length === wanted.length && timingSafeEqual(given, wanted) ? OWNER : undefined
  }

  #account(token: string): ApiUser | undefined {
    return accountOf(this.#objects, this.#tokens, token)?.user
  }
}

/** Whom the certificate of a connection names: its name is the user, its organizations are the groups (kube-apiserver, CommonNameUserConversion). */
function certified(socket: Socket | undefined): ApiUser | undefined {
  const { authorized, getPeerX509Certificate } = (socket ?? {}) as Partial<TLSSocket>
  // TLS has looked at the authority, the time and that it is a client's
  if (socket === undefined || authorized !== true || getPeerX509Certificate === undefined) return undefined
  const subject = (socket as TLSSocket).getPeerCertificate().subject as Readonly<Record<string, string | string[]>>
  const texts = (key: string): string[] => [subject?.[key] ?? []].flat()
  const [name] = texts("CN")
  if (name === undefined || name === "") return undefined
  return { name, groups: [...texts("O"), "system:authenticated"] }
}

function readToken(directory: string): string {
  const file = `${directory}/owner.token`
  try {
    return readFileSync(file, "utf8").trim()
  } catch (error) {
    if (!hasErrno(error, "ENOENT")) throw error
  }
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const token = randomBytes(TOKEN_BYTES).toString("base64url")
  atomicWrite(file, Buffer.from(token), { mode: 0o600, durable: true })
  return token
}
