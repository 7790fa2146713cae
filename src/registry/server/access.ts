/** Who may do what at a registry. */

/** What is done to a repository; `list` is the catalogue. */
export type Action = "pull" | "push" | "delete" | "list"

/** What somebody wants to do. */
export interface Scope {
  repository?: string
  action: Action
}

/** Decides about each request, before anything of it is read but its head. */
export interface Access {
  /** Gives the caller's name, if it has one. Throws RegistryError: UNAUTHORIZED with the challenge, where credentials may help, else DENIED. */
  check(request: Request, scope: Scope): Promise<string | undefined>
  /** The same as an answer, for what is asked beside: a repository that a blob is mounted from. */
  allows(request: Request, scope: Scope): Promise<boolean>
  /** What is answered to who asks for a token; absent: there are none. Throws RegistryError. */
  token?(request: Request): Promise<Response>
}

/** Anybody who reaches the server may do everything. */
export const OPEN_ACCESS: Access = {
  check: async () => undefined,
  allows: async () => true,
}
