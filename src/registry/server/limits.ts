/** What may not be changed, and how much may be kept. Pure. */
import { isRepositoryOf } from "./repository-pattern.ts"

/** Tags that keep the digest that they first had. */
export interface ImmutableTags {
  /** A pattern of repositories. */
  repositories: string
  /** Of tags; `*` is any number of characters. */
  tags: string
}

/** How much some repositories may have together. */
export interface Quota {
  /** A pattern of repositories; undefined: all that is stored. */
  repositories?: string | undefined
  bytes: number
}

/** What the owner of a registry allows. */
export interface Limits {
  immutable?: readonly ImmutableTags[]
  quotas?: readonly Quota[]
}

/** Whether the tag keeps its digest. */
export function isImmutable(rules: readonly ImmutableTags[], repository: string, tag: string): boolean {
  return rules.some(
    ({ repositories, tags }) => isRepositoryOf(repositories, repository) && isTagOf(tags.split("*"), tag),
  )
}

/** By its parts, without a regular expression: a pattern with many stars must not take for ever. */
function isTagOf([first = "", ...others]: readonly string[], tag: string): boolean {
  const last = others.pop()
  if (last === undefined) return tag === first
  if (!tag.startsWith(first) || !tag.endsWith(last) || tag.length < first.length + last.length) return false
  let at = first.length
  for (const part of others) {
    const found = tag.indexOf(part, at)
    if (found < 0 || found + part.length > tag.length - last.length) return false
    at = found + part.length
  }
  return true
}
