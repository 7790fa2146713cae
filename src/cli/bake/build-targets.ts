import type { BakePlan, BakeTarget } from "../../bake/bake.ts"
import type { BuildEvent, BuildOptions, BuildOutput, BuildResult, Builds, NamedContext } from "../../build/build.ts"
import { isSkiffError, SkiffError } from "../../base/errors.ts"
import type { FilesOfBuild } from "../build/files.ts"
import { linksOf, targetRequest } from "./target-request.ts"

/** What building needs besides the plan. */
export interface TargetBuilds {
  builds: Builds
  files: FilesOfBuild
  /** Aborted by the first failure, too. */
  abort: AbortController
  onBuildEvent(target: string, event: BuildEvent): void
}

/** The result of one target. */
export interface BuiltTarget {
  result: BuildResult
  tags: readonly string[]
}

/**
 * Builds all targets of a plan, independent ones at once, each after those whose results it takes as contexts. After a failure the others
 * are stopped and waited for; then it is thrown, with the target's name.
 */
export async function buildTargets(plan: BakePlan, deps: TargetBuilds): Promise<Map<string, BuiltTarget>> {
  const begun = new Map<string, Promise<BuiltTarget>>()
  const contexts = new Set(Object.values(plan.target).flatMap((target) => linksOf(target).map(([, other]) => other)))
  const build = (name: string): Promise<BuiltTarget> => {
    const known = begun.get(name)
    if (known) return known
    // safe: resolving the plan found every link, and no circle
    const made = buildOne(
      name,
      plan.target[name] ?? {},
      { isLinked: plan.linked.includes(name), isContext: contexts.has(name) },
      build,
      deps,
    )
    begun.set(name, made)
    return made
  }
  const outcomes = await Promise.allSettled(Object.keys(plan.target).map((name) => build(name)))
  const failures = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason as unknown] : []))
  if (failures.length > 0) throw failures.find((error) => !isSkiffError(error, "Cancelled")) ?? failures[0]
  const built = new Map<string, BuiltTarget>()
  for (const [name, made] of begun) built.set(name, await made)
  return built
}

async function buildOne(
  name: string,
  target: BakeTarget,
  { isLinked, isContext }: { isLinked: boolean; isContext: boolean },
  build: (name: string) => Promise<BuiltTarget>,
  { builds, files, abort, onBuildEvent }: TargetBuilds,
): Promise<BuiltTarget> {
  try {
    const links = await Promise.all(
      linksOf(target).map(async ([context, other]): Promise<[string, NamedContext]> => {
        return [context, contextOf(await build(other))]
      }),
    )
    const request = await targetRequest(files, target, abort.signal)
    const options: BuildOptions = {
      ...request,
      namedContexts: { ...request.namedContexts, ...Object.fromEntries(links) },
      // who takes it as a context finds it in the store
      ...(isContext ? { outputs: withImage(request.outputs) } : {}),
      ...(isLinked ? { tags: [] } : {}),
    }
    const result = await builds.build(options, (event) => onBuildEvent(name, event))
    return { result, tags: options.tags ?? [] }
  } catch (error) {
    abort.abort()
    if (error instanceof SkiffError && error.code !== "Cancelled" && error.data.target === undefined)
      throw error.restated(`target ${name}: ${error.message}`, { data: { target: name } })
    throw error
  }
}

function withImage(outputs: readonly BuildOutput[]): BuildOutput[] {
  return outputs.some(({ type }) => type === "image") ? [...outputs] : [{ type: "image" }, ...outputs]
}

/** The image that a target made. */
function contextOf({ result: { images } }: BuiltTarget): NamedContext {
  return { kind: "image", name: images[0]?.id ?? "" }
}
