/**
 * What the command line sounds like: skiff's own words, or those of a tool whose scripts it is to run. `SKIFF_COMPAT` chooses, or the
 * name that the executable is called by: a link `podman` is enough.
 *
 * Commands know no tool. They ask the dialect for what differs: how a list is laid out, what a document says, how an error is told
 * and with which code it ends. What is not asked for is not loaded.
 */
import { basename } from "node:path"
import { InvalidArgument } from "../../base/errors.ts"
import type { LogLevel } from "../../base/log.ts"
import type { Flags } from "../flag.ts"
import type { Documents } from "./documents.ts"
import type { EventWords } from "./event-words.ts"
import type { Failures } from "./failures.ts"
import type { Lists } from "./lists.ts"
import { DOCKER_NETWORK_HABITS, NETWORK_HABITS, PODMAN_NETWORK_HABITS, type NetworkHabits } from "./network-habits.ts"
import { PODMAN_VOLUME_HABITS, VOLUME_HABITS, type VolumeHabits } from "./volume-habits.ts"
import { PODMAN_RESULTS, RESULTS, type Results } from "./results.ts"
import type { VersionAnswer, VersionFacts } from "./version.ts"

/** The tools whose words are known. */
const DIALECTS = ["skiff", "docker", "podman", "buildah"] as const

/** A tool by its name. */
export type DialectName = (typeof DIALECTS)[number]

/** One tool's words. */
export interface Dialect {
  readonly name: DialectName
  lists(): Promise<Lists>
  documents(): Promise<Documents>
  events(): Promise<EventWords>
  version(): Promise<(facts: VersionFacts) => VersionAnswer>
  failures(): Promise<Failures>
  readonly results: Results
  readonly networks: NetworkHabits
  readonly volumes: VolumeHabits
  /** Whether a command line without a command is a mistake. */
  readonly needsCommand: boolean
  /** Whether something beside the result is told that the tool itself would not say: scripts compare all that is printed. */
  readonly isTalkative: boolean
  /** Begins and ends a line of standard error that stops nothing. Pure. */
  warning(level: LogLevel, text: string): string | undefined
  /** Words of `top` where none are typed. */
  readonly topWords: readonly string[]
  /** Flags of a command as the tool spells them, with its defaults; `name` is its whole name, `container rm`. */
  flags(name: string, flags: Flags): Promise<Flags>
}

/** The environment variable that chooses. It also carries the choice into the namespaces of an ordinary user. */
export const COMPAT_ENV = "SKIFF_COMPAT"

/**
 * The tool that this process is to speak like. A name in `SKIFF_COMPAT` goes before the name of the executable; `skiff` there is
 * plain skiff, under whatever name. Throws InvalidArgument for a tool that is not known.
 */
export function dialectName(env: Readonly<Record<string, string | undefined>>, program: string): DialectName {
  const asked = env[COMPAT_ENV]
  if (asked === undefined || asked === "") {
    const tool = basename(program).replace(/-compose$/, "")
    return DIALECTS.find((one) => one === tool) ?? "skiff"
  }
  const name = DIALECTS.find((one) => one === asked)
  if (name !== undefined) return name
  throw new InvalidArgument(`unknown tool "${asked}" in ${COMPAT_ENV}`, { hint: `valid: ${DIALECTS.join(", ")}` })
}

/** As podman's logger writes to what is no terminal. */
function logrusLine(level: LogLevel, text: string): string {
  const time = `${new Date().toISOString().slice(0, "2026-01-01T00:00:00".length)}Z`
  return `time="${time}" level=${level === "warn" ? "warning" : level} msg=${JSON.stringify(text)}\n`
}

const PODMAN_TOP = ["user", "pid", "ppid", "pcpu", "etime", "tty", "time", "args"]

/** Loads nothing but names. */
export function dialectOf(name: DialectName): Dialect {
  const isPodman = name === "podman" || name === "buildah"
  return {
    name,
    results: isPodman ? PODMAN_RESULTS : RESULTS,
    volumes: isPodman ? PODMAN_VOLUME_HABITS : VOLUME_HABITS,
    networks: isPodman ? PODMAN_NETWORK_HABITS : name === "docker" ? DOCKER_NETWORK_HABITS : NETWORK_HABITS,
    needsCommand: isPodman,
    isTalkative: name === "skiff",
    warning: (level, text) => {
      if (isPodman) return logrusLine(level, text)
      return name === "docker" && level === "warn" ? `WARNING: ${text}\n` : undefined
    },
    topWords: isPodman ? PODMAN_TOP : [],
    flags: async (command, flags) => {
      if (!isPodman) return flags
      const [{ withPodmanDefaults }, { withPodmanShorts }] = await Promise.all([
        import("./podman-defaults.ts"),
        import("./podman-shorts.ts"),
      ])
      return withPodmanDefaults(command, withPodmanShorts(command, flags), process.env)
    },
    lists: async () =>
      isPodman ? (await import("./podman-lists.ts")).PODMAN_LISTS : (await import("./lists.ts")).LISTS,
    documents: async () =>
      isPodman ? (await import("./podman-documents.ts")).PODMAN_DOCUMENTS : (await import("./documents.ts")).DOCUMENTS,
    events: async () =>
      isPodman
        ? (await import("./podman-events.ts")).PODMAN_EVENT_WORDS
        : (await import("./event-words.ts")).EVENT_WORDS,
    version: async () => {
      const { podmanVersion, skiffVersion } = await import("./version.ts")
      return isPodman ? podmanVersion : skiffVersion
    },
    failures: async () => {
      if (name === "skiff") return (await import("./failures.ts")).FAILURES
      if (name === "docker") return (await import("./docker-failures.ts")).DOCKER_FAILURES
      return (await import("./podman-failures.ts")).podmanFailures(name === "buildah" ? "buildah" : "podman")
    },
  }
}
