/** What `registry serve` lets nobody change, and how much it keeps. */
import { InvalidArgument } from "../../base/errors.ts"
import { parseSize } from "../../base/sizes.ts"
import type { ImmutableTags, Limits, Quota } from "../../registry/registry.ts"
import { flag } from "../flag.ts"
import { UsageError } from "../errors/usage-error.ts"

const PATTERN = /^(?:\*\*|(?:[a-z0-9._-]+|\*)(?:\/(?:[a-z0-9._-]+|\*))*(?:\/\*\*)?)$/
const TAG_PATTERN = /^[\w.*-]{1,128}$/

/** `**`, `release/**`, `team/app:v*`. Throws InvalidArgument. */
function parseImmutable(text: string): ImmutableTags {
  const [repositories = "", tags = "*", ...rest] = text.split(":")
  if (rest.length > 0 || !PATTERN.test(repositories) || !TAG_PATTERN.test(tags))
    throw new InvalidArgument(`expected REPOSITORIES[:TAGS], not "${text}"`)
  return { repositories, tags }
}

/** `10GB`, `team/**=10GB`. Throws InvalidArgument. */
function parseQuota(text: string): Quota {
  const [size = "", repositories] = text.split("=").toReversed()
  if (repositories !== undefined && !PATTERN.test(repositories))
    throw new InvalidArgument(`expected [REPOSITORIES=]SIZE, not "${text}"`)
  return { repositories, bytes: parseSize(size) }
}

/** The flags of limits. */
export const LIMIT_FLAGS = {
  immutable: flag.list(
    parseImmutable,
    'Tags that can be set once and not deleted: "**", "release/**", "app:v*" (needs --storage)',
    "pattern",
  ),
  quota: flag.list(parseQuota, 'How much is kept: "100GB" in all, "team/**=10GB" (needs --storage)', "size"),
}

/** Reads them. Throws UsageError where nothing can be pushed anyway. */
export function limitsOf(flags: {
  immutable: readonly ImmutableTags[]
  quota: readonly Quota[]
  storage: string | undefined
  proxy: unknown
}): Limits | undefined {
  const { immutable, quota: quotas, storage, proxy } = flags
  if (immutable.length + quotas.length === 0) return undefined
  if (storage === undefined || proxy !== undefined)
    throw new UsageError("--immutable and --quota are for a registry that is pushed to: give --storage, and no --proxy")
  return { immutable, quotas }
}
