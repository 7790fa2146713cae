import { InvalidArgument, isSkiffError } from "../base/errors.ts"
import type { PullOptions } from "./image.ts"
import type { ImagesDeps } from "./deps.ts"
import type { ShortNameCandidate } from "../registry/registry.ts"
import { parseReference, shortName } from "./reference.ts"

/** See `Images.tagsAt`. */
export async function tagsAt(deps: ImagesDeps, name: string, options: PullOptions = {}): Promise<string[]> {
  const typed = parseReference(name)
  if (typed.tag !== undefined || typed.digest !== undefined)
    throw new InvalidArgument(`expected a repository without a tag, not "${name}"`)
  const registries = await deps.registries()
  const source = await registries.open(options)
  const short = shortName(name, typed)?.replace(/:[^:]*$/, "")
  const places: ShortNameCandidate[] =
    short === undefined
      ? [{ registry: typed.registry, repository: typed.repository }]
      : await registries.candidates(short)
  let failure: unknown
  for (const { registry, repository, fallback } of places) {
    if (fallback && !isSkiffError(failure, "Unavailable")) break
    try {
      return (await source.tags({ registry, repository })).map((tag) => `${registry}/${repository}:${tag}`)
    } catch (error) {
      if (isSkiffError(error, "Cancelled")) throw error
      failure = error
    }
  }
  throw failure
}
