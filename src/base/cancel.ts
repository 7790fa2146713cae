import { Cancelled, isSkiffError } from "./errors.ts"

/** What may wait: for a lock, a program, an end. Aborted, it throws Cancelled; what it had begun by then is finished or taken back. */
export interface Cancellable {
  signal?: AbortSignal | undefined
}

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

/** What `work`, which heeds the signal itself, gives. Whatever it throws once the caller has had enough, it is Cancelled. */
export async function heeding<T>(signal: AbortSignal | undefined, what: string, work: () => Promise<T>): Promise<T> {
  throwIfAborted(signal, what)
  try {
    return await work()
  } catch (error) {
    if (!signal?.aborted || isSkiffError(error, "Cancelled")) throw error
    throw new Cancelled(`${what} was cancelled`, { cause: error })
  }
}
