/** How a service of the protocol is written down here: a function a call. */

/** What is answered: what is left out has its default. */
export type Sent<T> = T extends Uint8Array | string | number | boolean | null | undefined
  ? T
  : T extends readonly (infer U)[]
    ? readonly Sent<U>[]
    : { readonly [K in keyof T]?: Sent<T[K]> }

/** What a call knows of its caller. */
export interface Call {
  /** Aborted when the caller waits no more. */
  signal: AbortSignal
}

/** One function for each call of a service. */
export type Handlers<Calls> = { readonly [K in keyof Calls]: Handler<Calls[K]> }

type Handler<C> = C extends { request: infer Q; response: infer A; isStream: true }
  ? (request: Q, call: Call) => AsyncIterable<Sent<A>>
  : C extends { request: infer Q; response: infer A }
    ? (request: Q, call: Call) => Promise<Sent<A>>
    : never
