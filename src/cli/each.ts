import { isSkiffError } from "../base/errors.ts"
import type { Context } from "./command.ts"

type EachContext = Pick<Context<[], Record<never, never>>, "out" | "report">

/** How many at once: docker asks its daemon for all of them together. */
const AT_ONCE = 8

/**
 * Does `act` for each name, several at once, and prints what it gives (default: the name; null: nothing), in order. A failure
 * is told and the others go on; gives the exit code.
 */
export async function forEachName(
  names: readonly string[],
  { out, report }: EachContext,
  act: (name: string) => Promise<string | null | void> | string | null | void,
): Promise<number> {
  let code = 0
  for (let from = 0; from < names.length; from += AT_ONCE) {
    const batch = names.slice(from, from + AT_ONCE)
    const results = await Promise.allSettled(batch.map(async (name) => [name, await act(name)] as const))
    for (const result of results) {
      if (result.status === "rejected") {
        code = await report(result.reason)
        continue
      }
      const [name, line = name] = result.value
      if (line !== null) out.line(line)
    }
  }
  return code
}

/** `act`; with `ignored`, what is not there is left out without a word: null, as `forEachName` takes it. */
export async function unlessIgnored<T>(ignored: boolean, act: () => Promise<T>): Promise<T | null> {
  try {
    return await act()
  } catch (error) {
    if (ignored && isSkiffError(error, "NotFound")) return null
    throw error
  }
}
