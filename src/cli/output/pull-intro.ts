import { formatReference, parseReference } from "../../image/image.ts"
import type { Results } from "../compat/results.ts"

/** The line before the pull of an image that `run` and `create` do not find here. Throws InvalidArgument for what is no name. */
export function pullIntro(image: string, results: Results): string {
  const { tag, digest, ...place } = parseReference(image)
  const full = formatReference(digest === undefined ? { ...place, tag: tag ?? "latest" } : { ...place, tag, digest })
  return results.pulling(full) ?? `Unable to find image '${image}' locally`
}
