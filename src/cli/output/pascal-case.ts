/** A document with the names of its fields as docker's documents have them: `uidMap` is `UidMap`. Values of other kinds stay. */
export function inPascalCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inPascalCase)
  if (typeof value !== "object" || value === null || value instanceof Date) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [pascal(key), MAPS.has(key) ? one : inPascalCase(one)]),
  )
}

/** Their keys are people's own. */
const MAPS = new Set(["labels", "sysctls", "annotations"])

/** Only of names in camel case: a label or a variable keeps its own. */
function pascal(key: string): string {
  return /^[a-z][A-Za-z0-9]*$/.test(key) ? `${key.charAt(0).toUpperCase()}${key.slice(1)}` : key
}
