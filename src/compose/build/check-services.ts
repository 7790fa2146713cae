import type { BuildWarning } from "../../build/build.ts"
import type { ComposeDeps } from "../deps.ts"
import type { Project } from "../project.ts"
import { serviceBuild, type BuildChoices } from "./build-options.ts"

/** What linting finds in the Dockerfiles of these services (none named: of all that have a `build`). Builds nothing; throws as `Builds.check`. */
export async function checkServices(
  deps: Pick<ComposeDeps, "builds">,
  project: Project,
  names: readonly string[],
  choices: BuildChoices = {},
): Promise<Map<string, BuildWarning[]>> {
  const builds = await deps.builds()
  const found = new Map<string, BuildWarning[]>()
  for (const [name, service] of Object.entries(project.services))
    if (service.build && (names.length === 0 || names.includes(name)))
      found.set(name, await builds.check(serviceBuild(project, name, service, choices)))
  return found
}
