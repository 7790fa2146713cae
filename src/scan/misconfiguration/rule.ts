import type { Misconfiguration, Place, Severity } from "../scan.ts"

/** A rule, as every finding of it repeats it. */
export interface Rule {
  id: string
  aliases?: readonly string[]
  title: string
  severity: Severity
  /** What the user does next. */
  resolution: string
  references?: readonly string[]
}

/** That something breaks a rule: `message` says what was found. */
export function finding(
  { id, aliases = [], title, severity, resolution, references = [] }: Rule,
  kind: Misconfiguration["kind"],
  message: string,
  place: Place = {},
): Misconfiguration {
  return { class: "misconfiguration", id, aliases, title, message, severity, resolution, references, kind, place }
}
