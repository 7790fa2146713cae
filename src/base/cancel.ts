import { Cancelled } from "./errors.ts"

/** Throws Cancelled when the caller has had enough; `what` was waited for. */
export function throwIfAborted(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted) throw new Cancelled(`${what} was cancelled`, { cause: signal.reason })
}

/** What `work` gives, or Cancelled as soon as the caller has had enough: the work itself goes on, or not, as it likes. */
export async function orCancelled<T>(work: Promise<T>, signal: AbortSignal | undefined, what: string): Promise<T> {
  throwIfAborted(signal, what)
  if (signal === undefined) return work
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const abort = (): void => resolve(undefined)
  signal.addEventListener("abort", abort, { once: true })
  try {
    const result = await Promise.race([work.then((value) => ({ value })), promise])
    if (result === undefined) throw new Cancelled(`${what} was cancelled`, { cause: signal.reason })
    return result.value
  } finally {
    signal.removeEventListener("abort", abort)
  }
}
