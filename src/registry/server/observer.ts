/** Who is told of each request once it is answered. */
import type { Route } from "./route.ts"

/** A request and what was answered. */
export interface Exchange {
  request: Request
  /** Undefined: it named no resource of a registry. */
  route: Route | undefined
  answer: Response
  /** Until the answer began; its body comes after. */
  durationMs: number
  /** Who asked, where it has a name. */
  user?: string | undefined
  /** The caller's address, where it is known. */
  peer?: string | undefined
}

/** Must neither throw nor wait. */
export interface Observer {
  began?(): void
  /** Bytes of a body that a client sends. */
  received?(bytes: number): void
  ended(exchange: Exchange): void
}
