/** One challenge of a WWW-Authenticate header (RFC 9110, 11.6.1). */
export interface Challenge {
  /** Lower case: `bearer`, `basic`. */
  scheme: string
  parameters: Record<string, string>
}

const MAX_HEADER = 8_192

/** Parses every challenge of the header; what is malformed ends the list. */
export function parseChallenges(header: string): Challenge[] {
  const challenges: Challenge[] = []
  const part =
    /[\s,]*(?:([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))|([\w!#$%&'*+.^`|~-]+)(?=\s|,|$))/gy
  for (const [, key, quoted, plain, scheme] of header.slice(0, MAX_HEADER).matchAll(part)) {
    if (scheme !== undefined) challenges.push({ scheme: scheme.toLowerCase(), parameters: {} })
    const current = challenges.at(-1)
    if (key !== undefined && current)
      Object.defineProperty(current.parameters, key.toLowerCase(), {
        value: quoted?.replace(/\\(.)/g, "$1") ?? plain ?? "",
        enumerable: true,
        configurable: true,
      })
  }
  return challenges
}
