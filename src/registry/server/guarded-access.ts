/** Access by users, rules and tokens (distribution: "Token Authentication Specification", and RFC 7617). */
import { RegistryError, jsonAnswer } from "./answers.ts"
import type { Access, Scope } from "./access.ts"
import { ANONYMOUS, isAllowed, type AccessRule } from "./access-rules.ts"
import type { Htpasswd } from "./htpasswd.ts"
import { TOKEN_SECONDS, type Tokens } from "./token.ts"

/** What decisions stand on. */
export interface GuardedAccessOptions {
  users: Pick<Htpasswd, "has" | "knows">
  rules: () => readonly AccessRule[]
  tokens: Tokens
  scheme: "http" | "https"
  /** Path of the server at which tokens are asked for. */
  tokenPath: string
}

/** Who gives no name is `anonymous`; who gives a wrong one is nobody, and gets nothing. */
export class GuardedAccess implements Access {
  readonly #options: GuardedAccessOptions

  constructor(options: GuardedAccessOptions) {
    this.#options = options
  }

  async check(request: Request, scope: Scope): Promise<string | undefined> {
    const user = await this.#user(request)
    // by its first question a client learns whom to ask for a token: who says nothing of himself is always told
    const isPing = scope.repository === undefined && scope.action === "pull"
    const isAsking = isPing && request.headers.get("Authorization") === null
    const may = isPing ? !isAsking && this.#mayEnter(user) : isAllowed(this.#options.rules(), user ?? "", scope)
    if (user !== undefined && may) return user === ANONYMOUS ? undefined : user
    if (user === undefined || user === ANONYMOUS)
      throw new RegistryError("UNAUTHORIZED", "authentication required", undefined, this.#challenge(request, scope))
    throw new RegistryError("DENIED", `user "${user}" may not ${scope.action} ${scope.repository ?? "here"}`)
  }

  async allows(request: Request, scope: Scope): Promise<boolean> {
    const user = await this.#user(request)
    return user !== undefined && isAllowed(this.#options.rules(), user, scope)
  }

  /** A token for whom the request's password says. */
  async token(request: Request): Promise<Response> {
    const user = await this.#user(request)
    if (user === undefined)
      throw new RegistryError("UNAUTHORIZED", "user name or password is wrong", undefined, {
        "WWW-Authenticate": `Basic realm="registry"`,
      })
    const token = this.#options.tokens.issue(user)
    return jsonAnswer(
      { token, access_token: token, expires_in: TOKEN_SECONDS, issued_at: new Date().toISOString() },
      { headers: { "Cache-Control": "no-store" } },
    )
  }

  #mayEnter(user: string | undefined): boolean {
    return user !== ANONYMOUS || this.#options.rules().some(({ users }) => users.includes(ANONYMOUS))
  }

  /** Undefined for credentials that are wrong. */
  async #user(request: Request): Promise<string | undefined> {
    const [scheme = "", value = ""] = (request.headers.get("Authorization") ?? "").trim().split(/\s+/, 2)
    if (scheme === "") return ANONYMOUS
    if (scheme.toLowerCase() === "bearer") return this.#tokenUser(value)
    if (scheme.toLowerCase() !== "basic") return undefined
    const text = Buffer.from(value, "base64").toString()
    const colon = text.indexOf(":")
    const user = text.slice(0, Math.max(colon, 0))
    return colon > 0 && user !== ANONYMOUS && (await this.#options.users.has(user, text.slice(colon + 1)))
      ? user
      : undefined
  }

  /** A token is good no longer than its user. */
  #tokenUser(token: string): string | undefined {
    const user = this.#options.tokens.user(token)
    return user === undefined || user === ANONYMOUS || this.#options.users.knows(user) ? user : undefined
  }

  /** By the name with which the client has called us: no other is known to lead here. */
  #challenge(request: Request, { repository, action }: Scope): Record<string, string> {
    const host = request.headers.get("Host") ?? ""
    // it goes into a header of ours
    const safe = /^[A-Za-z0-9.:[\]-]{1,255}$/.test(host) ? host : "localhost"
    const actions = action === "push" ? "pull,push" : action
    const scope = repository === undefined ? "" : `,scope="repository:${repository}:${actions}"`
    return {
      "WWW-Authenticate": `Bearer realm="${this.#options.scheme}://${safe}${this.#options.tokenPath}",service="${safe}"${scope}`,
    }
  }
}
