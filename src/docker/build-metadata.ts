import type { BuildResult } from "../build/build.ts"
import { formatPlatform, type Platform } from "../spec/platform.ts"

const PROVENANCE = "https://slsa.dev/provenance/"

/** What other programs read of a build, with buildx's keys. */
export function buildMetadata(
  { images, digest, descriptor, attested }: BuildResult,
  tags: readonly string[],
): Record<string, unknown> {
  return {
    ...provenanceOf(attested),
    ...(images.length === 1 && images[0] ? { "containerimage.config.digest": images[0].id } : {}),
    ...(descriptor === undefined ? {} : { "containerimage.descriptor": descriptor }),
    ...(digest === undefined ? {} : { "containerimage.digest": digest }),
    ...(tags.length === 0 ? {} : { "image.name": tags.join(",") }),
  }
}

/** Of several platforms, each under its own key. */
function provenanceOf(attested: BuildResult["attested"]): Record<string, unknown> {
  const key = (platform: Platform) =>
    `buildx.build.provenance${attested.length > 1 ? `/${formatPlatform(platform)}` : ""}`
  const found = attested.flatMap(({ platform, predicates }) =>
    predicates.flatMap(({ predicateType, predicate }) =>
      predicateType.startsWith(PROVENANCE) ? [[key(platform), predicate] as const] : [],
    ),
  )
  return Object.fromEntries(found)
}
