import type { Digest } from "../../../spec/digest.ts"
import type { NeededContent } from "../server.ts"

/** A manifest of a repository; one that cannot be read needs nobody knows what. */
export interface FoundManifest {
  digest: Digest
  usedAt: Date
  needed: NeededContent | undefined
}

/**
 * Manifests to which nothing leads from `roots`: neither an index that stays nor, of a signature or an SBOM, its subject that stays. One that
 * cannot be read stays. Pure.
 */
export function untaggedManifests(all: readonly FoundManifest[], roots: readonly Digest[]): FoundManifest[] {
  const found = new Map(all.map((manifest) => [manifest.digest, manifest]))
  const referrers = Map.groupBy(all, ({ needed }) => needed?.referrer?.subject)
  const unreadable = all.filter(({ needed }) => needed === undefined).map(({ digest }) => digest)
  const kept = new Set<Digest>()
  const next = [...roots, ...unreadable]
  for (let digest = next.pop(); digest !== undefined; digest = next.pop()) {
    if (kept.has(digest)) continue
    kept.add(digest)
    next.push(...(found.get(digest)?.needed?.children ?? []))
    for (const referrer of referrers.get(digest) ?? []) next.push(referrer.digest)
  }
  return all.filter(({ digest }) => !kept.has(digest))
}
