import { FailedPrecondition } from "../../base/errors.ts"
import type { Project } from "../../compose/compose.ts"

/** Those of the named services (none: of all) that say what is to be watched. Throws FailedPrecondition, in docker's words, for none. */
export function watched({ services }: Project, names: readonly string[]): string[] {
  const found = Object.entries(services).flatMap(([name, { develop }]) =>
    (names.length === 0 || names.includes(name)) && (develop?.watch ?? []).length > 0 ? [name] : [],
  )
  if (found.length === 0)
    throw new FailedPrecondition(
      "none of the selected services is configured for watch, consider setting a 'develop' section",
    )
  return found
}
