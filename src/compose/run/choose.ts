import { FailedPrecondition } from "../../base/errors.ts"
import type { ComposeDeps } from "../deps.ts"
import { projectContainers, type ProjectContainer } from "../project-containers.ts"
import type { ChooseOptions } from "../verbs.ts"
import { isUp } from "./open-target.ts"

/** See `ComposeVerbs.containersOf`. */
export async function containersOf(
  deps: ComposeDeps,
  name: string,
  services: readonly string[],
  { all = false, oneOffs = false }: Omit<ChooseOptions, "index"> = {},
): Promise<ProjectContainer[]> {
  const wanted = new Set(services)
  return projectContainers(await deps.containers(), name)
    .filter((one) => wanted.size === 0 || wanted.has(one.service))
    .filter((one) => (all || isUp(one)) && (oneOffs || !one.isOneOff))
    .toSorted((a, b) => Number(a.isOneOff) - Number(b.isOneOff) || a.number - b.number)
}

/** See `ComposeVerbs.container`. */
export async function chooseContainer(
  deps: ComposeDeps,
  name: string,
  service: string,
  { index, all = false, oneOffs = true }: ChooseOptions = {},
): Promise<ProjectContainer> {
  const found = await containersOf(deps, name, [service], { all, oneOffs })
  const chosen = index === undefined ? found[0] : found.find((one) => !one.isOneOff && one.number === index)
  if (chosen) return chosen
  const which = index === undefined ? "" : ` container #${index}`
  throw new FailedPrecondition(`service "${service}" is not running${which}`, { data: { service, index } })
}
