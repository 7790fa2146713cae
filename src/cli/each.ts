import { describeError } from "./failure.ts"
import type { Context } from "./command.ts"

type EachContext = Pick<Context<[], Record<never, never>>, "out" | "globals">

/** How many at once: docker asks its daemon for all of them together. */
const AT_ONCE = 8

/**
 * Does `act` for each name, several at once, and prints what it gives (default: the name), in order. A failure is told and the
 * others go on; gives the exit code.
 */
export async function forEachName(
  names: readonly string[],
  { out, globals }: EachContext,
  act: (name: string) => Promise<string | void> | string | void,
): Promise<number> {
  let failed = false
  for (let from = 0; from < names.length; from += AT_ONCE) {
    const batch = names.slice(from, from + AT_ONCE)
    const results = await Promise.allSettled(batch.map(async (name) => (await act(name)) ?? name))
    for (const result of results) {
      if (result.status === "fulfilled") out.line(result.value)
      else {
        failed = true
        out.note(describeError(result.reason, { debug: globals.debug, failureCode: 1 }).trimEnd())
      }
    }
  }
  return failed ? 1 : 0
}
