/**
 * A text in which no URL has `user:password@`, nor a value in its query that is called a token, a key or a signature: what is
 * attested or written down, others read (CVE-2019-13509, CVE-2023-26054, CVE-2025-0495).
 */
export function textWithoutCredentials(text: string): string {
  return (
    text
      // the longest: a password may have an @ of its own
      .replaceAll(/(:\/\/)[^\s/?#'"]*@/g, "$1")
      .replaceAll(/([?&][\w.-]*(?:token|secret|passw|credential|sig|key|auth)[\w.-]*=)[^&#\s'"]+/gi, "$1REDACTED")
  )
}

/** A document of plain data with the same done to every text in it, keys too. */
export function withoutCredentials<T>(value: T): T {
  return clean(value) as T
}

function clean(value: unknown): unknown {
  if (typeof value === "string") return textWithoutCredentials(value)
  if (Array.isArray(value)) return value.map(clean)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [textWithoutCredentials(key), clean(each)]))
}
