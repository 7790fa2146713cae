import { writeFileSync } from "node:fs"
import { log } from "../../../base/log.ts"
import { NotFound } from "../../../base/errors.ts"
import type { LoadRequest, LoadWarning, Project } from "../../../compose/compose.ts"
import { arg } from "../../args.ts"
import { printEnvironment, printVariables } from "../../compose/config-variables.ts"
import { composeCommand } from "../../compose/compose-command.ts"
import type { ComposeSession } from "../../compose/compose-session.ts"
import { lockImages } from "../../compose/lock-images.ts"
import { flag, type FlagValues } from "../../flag.ts"

/** Of `config`, and of its old name. */
export const FLAGS = {
  environment: flag.bool("Print environment used for interpolation"),
  explain: flag.bool("With --environment: where each variable is from, and what it shadows"),
  format: flag.choice(["yaml", "json"], "Format the output"),
  hash: flag.string("Print the service config hash, one per line: of services a,b or of all '*'", "string"),
  images: flag.bool("Print the image names, one per line"),
  lockImageDigests: flag.bool("Produces an override file with image digests"),
  models: flag.bool("Print the model names, one per line"),
  networks: flag.bool("Print the network names, one per line"),
  noConsistency: flag.bool("Don't check model consistency - warning: may produce invalid Compose output"),
  noEnvResolution: flag.bool("Don't resolve service env files"),
  noInterpolate: flag.bool("Don't interpolate environment variables"),
  noNormalize: flag.bool("Don't normalize compose model"),
  noPathResolution: flag.bool("Don't resolve file paths"),
  output: flag.string("Save to file (default to stdout)", "string", { short: "o" }),
  profiles: flag.bool("Print the profile names, one per line"),
  quiet: flag.bool("Only validate the configuration, don't print anything", { short: "q" }),
  resolveImageDigests: flag.bool("Pin image tags to digests"),
  services: flag.bool("Print the service names, one per line"),
  variables: flag.bool("Print model variables and default values"),
  volumes: flag.bool("Print the volume names, one per line"),
}

type ConfigFlags = FlagValues<typeof FLAGS>

export default composeCommand({
  summary: "Parse, resolve and render compose file in canonical format",
  args: [arg.rest("[SERVICE...]")],
  flags: FLAGS,
  examples: ["skiff compose config", "skiff compose config --format json web", "skiff compose config --hash '*'"],
  async run({ args: [services], flags, compose, engine, out }) {
    if (flags.variables) return await printVariables(compose, flags.format, out)
    if (flags.environment) return await printEnvironment(compose, flags, out)
    const lines = await listed(services, flags, compose)
    if (lines) return lines.forEach((line) => out.line(line))
    const text = await rendered(services, flags, compose, () => engine.images())
    if (flags.quiet) return
    if (flags.output === undefined) out.text(text)
    else writeFileSync(flags.output, text)
  },
})

/** Names, one a line, where a flag asks for such; undefined: the model is wanted. */
async function listed(
  services: readonly string[],
  flags: ConfigFlags,
  compose: ComposeSession,
): Promise<readonly string[] | undefined> {
  const { hash } = flags
  if (hash !== undefined) return hashLines(hash, compose, flags)
  if (flags.services) return (await compose.compose()).inOrder(await compose.project([], phasesOf(flags)))
  if (flags.volumes) return Object.keys((await compose.project([], phasesOf(flags))).volumes)
  if (flags.networks) return Object.keys((await compose.project([], phasesOf(flags))).networks)
  if (flags.models) return Object.keys((await compose.project([], phasesOf(flags))).models).toSorted()
  if (flags.profiles) return profileNames(await compose.project([], phasesOf(flags)))
  if (flags.images) return imageNames(await compose.project(services, phasesOf(flags)), compose.separator)
  return undefined
}

/** Phases that the flags leave out. */
function phasesOf(flags: ConfigFlags): Partial<LoadRequest> {
  return {
    skipConsistency: flags.noConsistency,
    skipEnvironmentResolution: flags.noEnvResolution,
    skipInterpolation: flags.noInterpolate,
    skipNormalization: flags.noNormalize,
    skipPathResolution: flags.noPathResolution,
  }
}

async function hashLines(hash: string, compose: ComposeSession, flags: ConfigFlags): Promise<readonly string[]> {
  const names = hash === "*" ? [] : hash.split(",")
  // as docker's: of env files the names count here, not what they say
  const project = await compose.project(names, { ...phasesOf(flags), skipEnvironmentResolution: true })
  const hashes = await (await compose.compose()).hashes(project)
  return (hash === "*" ? Object.keys(hashes) : names.toSorted()).map((name) => {
    if (!Object.hasOwn(hashes, name)) throw new NotFound(`no such service: ${name}: not found`)
    return `${name} ${hashes[name]}`
  })
}

function profileNames({ services, disabledServices }: Project): readonly string[] {
  const all = [...Object.values(services), ...Object.values(disabledServices)]
  return [...new Set(all.flatMap(({ profiles = [] }) => profiles))].toSorted()
}

/** A service that is built and not named has a name of its project's. */
function imageNames({ name, services }: Project, separator: string): readonly string[] {
  return Object.keys(services)
    .toSorted()
    .map((key) => services[key]?.image ?? `${name}${separator}${key}`)
}

async function rendered(
  services: readonly string[],
  flags: ConfigFlags,
  compose: ComposeSession,
  images: Parameters<typeof lockImages>[1],
): Promise<string> {
  const domain = await compose.compose()
  const format = flags.format ?? "yaml"
  if (flags.noInterpolate) {
    const { model, warnings } = await domain.readModel(compose.request(services, phasesOf(flags)))
    warn(warnings)
    return domain.renderModel(model, format)
  }
  const project = await compose.project(services, phasesOf(flags))
  if (!flags.resolveImageDigests && !flags.lockImageDigests) return flags.quiet ? "" : domain.render(project, format)
  const locked = await lockImages(project, images)
  return flags.lockImageDigests ? domain.renderImages(locked, format) : domain.render(locked, format)
}

function warn(warnings: readonly LoadWarning[]): void {
  for (const { message } of warnings) log.warn(message)
}
