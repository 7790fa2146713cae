import type { ComposeEvent, ComposeState } from "../compose-event.ts"
import type { ProjectContainer } from "../project-containers.ts"
import type { VerbOptions } from "../verbs.ts"

/** Does one thing, and tells of its begin, its end and its failure; in a dry run it is only told. */
export async function act(
  { onEvent, dryRun = false }: VerbOptions,
  subject: Pick<ComposeEvent, "kind" | "name">,
  [begun, done]: readonly [ComposeState, ComposeState],
  body: () => Promise<unknown>,
): Promise<void> {
  onEvent?.({ ...subject, state: begun })
  try {
    if (!dryRun) await body()
  } catch (error) {
    onEvent?.({ ...subject, state: "Error", detail: `while ${begun}` })
    throw error
  }
  onEvent?.({ ...subject, state: done })
}

/** As events name it. */
export function subjectOf({ container }: ProjectContainer): Pick<ComposeEvent, "kind" | "name"> {
  return { kind: "container", name: container.name }
}

/** `body` for each, at once or as many as `limit` lets; all are waited for, then the first failure is thrown. */
export async function each<T>(
  items: readonly T[],
  { limit = Infinity }: Pick<VerbOptions, "limit">,
  body: (item: T) => Promise<unknown>,
): Promise<void> {
  const waiting = [...items]
  const failures: unknown[] = []
  const work = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
      try {
        await body(item)
      } catch (error) {
        failures.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, work))
  if (failures.length > 0) throw failures[0]
}
