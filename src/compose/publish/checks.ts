/** What of a project should not go out, or not without a question; the words are docker compose's. */
import { InvalidArgument } from "../../base/errors.ts"
import type { Project, ServiceVolume } from "../project.ts"

/** Throws InvalidArgument for services that nobody could fetch. */
export function refuseBuildOnly({ services }: Project): void {
  const names = Object.keys(services).filter((name) => services[name]?.build && services[name].image === undefined)
  if (names.length === 0) return
  const list = names.map((name) => `- "${name}"`).join("\n")
  throw new InvalidArgument(
    `your Compose stack cannot be published as it only contains a build section for service(s):\n${list}`,
    { hint: "give each an `image` too: it is pushed with the project" },
  )
}

/** Undefined: there are none. */
export function bindMountQuestion({ services }: Project): string | undefined {
  const lines = Object.entries(services).flatMap(([name, { volumes = [] }]) => {
    const binds = volumes.filter(({ type }) => type === "bind").map(mountText)
    return binds.length === 0 ? [] : [name].concat(binds)
  })
  if (lines.length === 0) return undefined
  return [
    "you are about to publish bind mounts declaration within your OCI artifact.",
    "only the bind mount declarations will be added to the OCI artifact (not content)",
    "please double check that you are not mounting potential user's sensitive directories or data",
    ...lines,
    "Are you ok to publish these bind mount declarations?",
  ].join("\n")
}

function mountText({ source = "", target, read_only: isReadOnly }: ServiceVolume): string {
  return `${source}:${target}:${isReadOnly === true ? "ro" : "rw"}`
}

/**
 * Throws InvalidArgument where values of the environment would go out and nobody said that they may. Env files are refused in any case: without
 * them the artifact could not be loaded.
 */
export function checkEnvironment({ services, configs }: Project, { mayHaveVariables = false } = {}): void {
  const found: string[] = []
  for (const [name, { env_file: files = [], environment = {} }] of Object.entries(services)) {
    if (files.length > 0) found.push(`service "${name}" has env_file declared.`)
    if (!mayHaveVariables && Object.keys(environment).length > 0)
      found.push(`service "${name}" has environment variable(s) declared.`)
  }
  for (const [key, { name = key, environment = "" }] of Object.entries(configs))
    if (!mayHaveVariables && environment !== "") found.push(`config "${name}" is declare as an environment variable.`)
  if (found.length === 0) return
  throw new InvalidArgument(
    [
      ...found,
      "To avoid leaking sensitive data, you must either explicitly allow the sending of environment variables,",
      "or remove sensitive data from your Compose configuration",
    ].join("\n"),
    { hint: { do: "set", field: "withEnvironment" } },
  )
}

/** Undefined: there are none. */
export function environmentQuestion({ services, configs }: Project): string | undefined {
  const lines = Object.entries(services).flatMap(([name, { environment = {} }]) => {
    const pairs = Object.entries(environment).map(([key, value]) => `${key}=${value ?? ""}`)
    return pairs.length === 0 ? [] : [`Service/Config  ${name}`].concat(pairs)
  })
  for (const [key, { name = key, environment = "" }] of Object.entries(configs))
    if (environment !== "") lines.push(`Service/Config  ${name}`, `${name}=${environment}`)
  if (lines.length === 0) return undefined
  return [
    "you are about to publish environment variables within your OCI artifact.",
    "please double check that you are not leaking sensitive data",
    ...lines,
    "Are you ok to publish these environment variables?",
  ].join("\n")
}
