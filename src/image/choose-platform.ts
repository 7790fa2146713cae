import { NotFound } from "../base/errors.ts"
import type { Descriptor, ImageIndex } from "../spec/oci-image.ts"
import { compatiblePlatforms, formatPlatform, samePlatform, type Platform } from "../spec/platform.ts"

/**
 * The entry of `index` that runs on `wanted`, by docker's order of preference; of equals the first.
 * An index of one entry that says no platform means that one. Throws NotFound with the platforms there are.
 */
export function choosePlatform(index: ImageIndex, wanted: Platform, name: string): Descriptor {
  for (const platform of compatiblePlatforms(wanted)) {
    const found = index.manifests.find((entry) => entry.platform && samePlatform(entry.platform, platform))
    if (found) return found
  }
  const [only, ...others] = index.manifests
  if (only && others.length === 0 && !only.platform) return only
  const there = index.manifests
    .flatMap(({ platform }) => (platform && platform.os !== "unknown" ? [formatPlatform(platform)] : []))
    .filter((text, at, all) => all.indexOf(text) === at)
  throw new NotFound(`no image of "${name}" for platform ${formatPlatform(wanted)}`, {
    hint: there.length === 0 ? "the index is empty" : `it has: ${there.slice(0, 30).join(", ")}`,
  })
}
