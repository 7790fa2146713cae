/** Pages that teach, by the flag that shows each. */
export const TOPICS = ["namespaces", "cgroups", "architecture", "differences", "glossary", "history"] as const

/** A page that teaches. */
export type Topic = (typeof TOPICS)[number]
