/** Which containers a command is about: those it names, or those that flags choose. */
import { readFileSync } from "node:fs"
import { hasErrno, isSkiffError, NotFound } from "../base/errors.ts"
import type { Container, Containers } from "../container/container.ts"
import { containerFilter } from "./container-filter.ts"
import { UsageError } from "./errors/usage-error.ts"
import { flag } from "./flag.ts"

/** Flags that choose containers, of which each command has some. */
export const CHOICE_FLAGS = {
  all: flag.bool("Choose all containers that this can be done to", { short: "a" }),
  cidfile: flag.strings("Read the container ID from the file", "list"),
  filter: flag.strings("Choose containers by conditions", "filter", { short: "f" }),
  latest: flag.bool("Choose the container that was created last", { short: "l" }),
}

/** `--ignore` of commands that take several names. */
export const IGNORE_FLAG = flag.bool("Ignore containers that do not exist", { short: "i" })

/** The properties of those flags: any of them stands for the names (`arg.some`'s `unless`). */
export const CHOOSING = Object.keys(CHOICE_FLAGS)

interface Choice {
  all?: boolean
  cidfile?: readonly string[] | string | undefined
  filter?: readonly string[]
  latest?: boolean
  ignore?: boolean
}

/**
 * Names and ids, in the order in which they were given; `--all` and `--filter` give ids of those that `among` fits. Throws
 * UsageError for choices that contradict each other, NotFound where there is no latest one.
 */
export function chooseContainers(
  containers: Containers,
  names: readonly string[],
  choice: Choice,
  among: (container: Container) => boolean = () => true,
): readonly string[] {
  const { all = false, latest = false, filter = [] } = choice
  const files = typeof choice.cidfile === "string" ? [choice.cidfile] : (choice.cidfile ?? [])
  checkChoice(names, { all, latest, files: files.length > 0 })
  if (latest) return [latestContainer(containers)]
  if (all || filter.length > 0) {
    const listed = containers.list(containerFilter(filter, true)).filter(among)
    // oldest first, as they were made: what others stand on starts before them
    const chosen = listed.toReversed().map(({ id }) => id)
    return names.length === 0 ? chosen : namedAmong(containers, names, new Set(chosen))
  }
  return [...names, ...files.flatMap((file) => idInFile(file, choice.ignore ?? false))]
}

/** The one that a command is about: by its name, or the latest one. Throws NotFound where there is none. */
export function chooseContainer(
  containers: Containers,
  name: string,
  { latest = false, cidfile }: { latest?: boolean; cidfile?: string | undefined },
): string {
  if (latest && cidfile !== undefined) throw new UsageError("--latest and --cidfile cannot be used together")
  if (cidfile !== undefined) return idInFile(cidfile, false)[0] ?? ""
  return latest ? latestContainer(containers) : name
}

function checkChoice(
  names: readonly string[],
  { all, latest, files }: Record<"all" | "latest" | "files", boolean>,
): void {
  if ((all || latest) && files) throw new UsageError("--all, --latest, and --cidfile cannot be used together")
  if (all && latest) throw new UsageError("--all and --latest cannot be used together")
  if (names.length > 0 && all) throw new UsageError("no arguments are needed with --all")
  if (names.length > 0 && latest) throw new UsageError("--latest and containers cannot be used together")
  if (names.length > 0 && files) throw new UsageError("no arguments are needed with --cidfile")
}

function latestContainer(containers: Containers): string {
  const [latest] = containers.list({ all: true })
  if (latest === undefined) throw new NotFound("there is no latest container: there are none")
  return latest.id
}

/** Names that the filter fits, too. One that is not there stays, for the command to say so. */
function namedAmong(containers: Containers, names: readonly string[], chosen: ReadonlySet<string>): string[] {
  return names.filter((name) => {
    try {
      return chosen.has(containers.get(name).id)
    } catch (error) {
      if (isSkiffError(error, "NotFound")) return true
      throw error
    }
  })
}

function idInFile(path: string, mayBeMissing: boolean): string[] {
  try {
    const [line = ""] = readFileSync(path, "utf8").trim().split("\n")
    if (line === "") throw new UsageError(`the container ID file "${path}" is empty`)
    return [line]
  } catch (cause) {
    if (!hasErrno(cause, "ENOENT")) throw cause
    if (mayBeMissing) return []
    throw new UsageError(`cannot read the container ID file "${path}": no such file`, { cause })
  }
}

/** States in which a program runs, or stands still. */
export const isUp = ({ state }: Container): boolean => state.status === "running" || state.status === "paused"

/** Whether it was never started, or has ended. */
export const isDown = ({ state }: Container): boolean => state.status === "created" || state.status === "exited"
