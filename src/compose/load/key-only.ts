import type { Environment } from "./environment.ts"
import { isMap, type Tree, type TreeMap } from "./tree.ts"

/**
 * Gives variables that a service's list names without a value the environment's, where that has one, in place. What is included has the
 * environment of its own `.env`; a mapping's keys without value wait for the project's environment, as docker compose has it.
 */
export function resolveKeys(model: TreeMap, environment: Environment): void {
  const { services } = model
  if (!isMap(services)) return
  for (const service of Object.values(services)) if (isMap(service)) resolveIn(service.environment, environment)
}

function resolveIn(variables: Tree | undefined, environment: Environment): void {
  if (!Array.isArray(variables)) return
  for (const [index, variable] of variables.entries()) {
    if (typeof variable !== "string" || variable.includes("=") || !Object.hasOwn(environment, variable)) continue
    variables[index] = `${variable}=${environment[variable]}`
  }
}
