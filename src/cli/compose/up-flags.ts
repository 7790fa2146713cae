/** Flags of `up`, `create` and `scale`: which containers are made, of what, and what becomes of those that are there. */
import type { Project, ProjectPlan, UpOptions } from "../../compose/compose.ts"
import { log } from "../../base/log.ts"
import { readBoolean } from "../../spec/docker/boolean.ts"
import { UsageError } from "../errors/usage-error.ts"
import { flag, type FlagValues } from "../flag.ts"
import type { ComposeSession } from "./compose-session.ts"

/** What `up` and `create` share. */
export const CREATE_FLAGS = {
  build: flag.bool("Build images before starting containers"),
  forceRecreate: flag.bool("Recreate containers even if their configuration and image haven't changed"),
  noBuild: flag.bool("Don't build an image, even if it's policy"),
  noRecreate: flag.bool("If containers already exist, don't recreate them. Incompatible with --force-recreate"),
  pull: flag.string('Pull image before running ("always"|"missing"|"never"|"build")', "string"),
  quietPull: flag.bool("Pull without printing progress information"),
  removeOrphans: flag.bool("Remove containers for services not defined in the Compose file"),
  scale: flag.strings("Scale SERVICE to NUM instances. Overrides the scale setting in the file", "scale"),
  yes: flag.bool('Assume "yes" as answer to all prompts and run non-interactively', {
    short: "y",
    aliases: ["y"],
  }),
}

/** How each is done is told with `--explain`. */
export const EXPLAIN_FLAG = flag.bool("Tell of every container why it is kept, recreated or started")

const PULLS = new Set(["always", "missing", "never", "build"])

type CreateFlags = FlagValues<typeof CREATE_FLAGS>

/** What they ask for. Throws UsageError, in docker's words, for those that contradict each other. */
export function createOptions(flags: CreateFlags): UpOptions {
  if (flags.build && flags.noBuild) throw incompatible("--build and --no-build are incompatible")
  if (flags.forceRecreate && flags.noRecreate) throw incompatible("--force-recreate and --no-recreate are incompatible")
  if (flags.pull !== undefined && !PULLS.has(flags.pull) && !/^(?:every_|daily|weekly|if_not_present)/.test(flags.pull))
    throw incompatible(`invalid --pull option "${flags.pull}"`)
  const removeOrphans = flags.removeOrphans || isSet("COMPOSE_REMOVE_ORPHANS")
  if (flags.removeOrphans && isSet("COMPOSE_IGNORE_ORPHANS"))
    throw incompatible("cannot combine COMPOSE_IGNORE_ORPHANS and --remove-orphans")
  return {
    build: flags.build ? "always" : flags.noBuild ? "never" : "missing",
    pull: flags.pull,
    quietPull: flags.quietPull,
    recreate: flags.forceRecreate ? "always" : flags.noRecreate ? "never" : "diverged",
    recreateDependencies: flags.noRecreate ? "never" : "diverged",
    removeOrphans,
    scale: Object.fromEntries(flags.scale.map(readScale)),
  }
}

/** Two flags that docker refuses together; compose ends with 1. */
export function incompatible(message: string): UsageError {
  return new UsageError(message, {}, 1)
}

/** `SERVICE=NUM`. Throws UsageError in docker's words. */
function readScale(text: string): [service: string, count: number] {
  const [, service, count] = /^([^=]+)=(\d{1,6})$/.exec(text) ?? []
  if (service === undefined) throw incompatible(`invalid --scale option "${text}". Should be SERVICE=NUM`)
  return [service, Number(count)]
}

/** Asks at the terminal; without one nobody agrees, as docker has it. */
export function confirmation(yes: boolean): NonNullable<UpOptions["confirm"]> {
  return async (question) => {
    if (yes) return true
    const { isTerminal } = await import("../../sys/terminal/terminal.ts")
    if (!isTerminal(0)) return false
    const { askLine } = await import("../ask.ts")
    return /^y(?:es)?$/i.test(await askLine(`${question} [y/N] `))
  }
}

/** Docker's warning of containers that the file does not know. */
export function warnOfOrphans({ orphans, removesOrphans }: Pick<ProjectPlan, "orphans" | "removesOrphans">): void {
  if (orphans.length === 0 || removesOrphans || isSet("COMPOSE_IGNORE_ORPHANS")) return
  const names = orphans.map(({ container }) => container.name).join(" ")
  log.warn(
    `Found orphan containers ([${names}]) for this project. If you removed or renamed this service in your compose file, ` +
      "you can run this command with the --remove-orphans flag to clean it up.",
  )
}

/** A project of the same name that was made elsewhere: containers would be replaced that are somebody else's (docker/compose#7969). */
export function warnOfOtherDirectory({ services }: ProjectPlan, { name, workingDirectory }: Project): void {
  const label = "com.docker.compose.project.working_dir"
  for (const { steps } of services)
    for (const step of steps) {
      if (!("container" in step)) continue
      const from = step.container.container.options.labels[label]
      if (from === undefined || from === "" || from === workingDirectory) continue
      log.warn(
        `project "${name}" was made in ${from}, and this is ${workingDirectory}: give one of them another name if they are two`,
      )
      return
    }
}

/** The options that all verbs of this family have. */
export function commonOptions(compose: ComposeSession): UpOptions {
  return { compatibility: compose.separator === "_" }
}

function isSet(variable: string): boolean {
  try {
    return readBoolean(process.env[variable] || "false")
  } catch {
    return false
  }
}
