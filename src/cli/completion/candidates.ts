import { type Arg, type Completion } from "../args.ts"
import type { Command } from "../command.ts"
import { flagName, type Flag, type Flags } from "../flag.ts"
import { GLOBAL_FLAGS } from "../globals.ts"
import { parseFlags } from "../parse-flags.ts"
import { findEntry, GROUP_FLAGS, GROUPS, topLevelNames, verbsOf } from "../table.ts"

/** What a shell may offer. */
export interface Candidates {
  /** Words that begin with what is typed, perhaps with a text after a tab. */
  words: string[]
  /** The shell offers files as well. */
  files: boolean
}

/** Values of the flags that stand between a group and its verb. */
export type GroupValues = Readonly<Record<string, unknown>>

/** Names of a kind, for a word that begins so. */
export type NamesOf = (kind: Completion, group: GroupValues) => Promise<string[]>

/**
 * What may stand at the cursor. `words` are those after `skiff`, the last one being typed (perhaps empty); `namesOf` asks the
 * engine.
 */
export async function candidates(words: readonly string[], namesOf: NamesOf): Promise<Candidates> {
  const current = words.at(-1) ?? ""
  const before = words.slice(0, -1)
  const globals = skipFlags(GLOBAL_FLAGS, before)
  if (globals.awaits) return value(globals.awaits, current, "", (kind) => namesOf(kind, {}))
  const group = await skipGroupFlags(globals.rest)
  const inGroup = (kind: Completion) => namesOf(kind, group.values)
  if (group.awaits) return value(group.awaits, current, "", inGroup)
  const path = group.rest
  const found = findEntry(path)
  if (found) {
    const { default: command } = await found.entry.load()
    const inside = await inCommand(command, path.slice(found.length), current, inGroup)
    // `scan IMAGE`, and `scan db build`: a command may be a group as well
    const verbs = path.length === found.length && !current.startsWith("-") ? nextWords(found.name) : []
    return {
      words: [...matching(verbs, current).words, ...inside.words],
      files: inside.files && verbs.length === 0,
    }
  }
  const [first] = path
  if (first === undefined)
    return current.startsWith("-") ? flags(GLOBAL_FLAGS, current) : matching(topLevelNames(), current)
  if (current.startsWith("-") && group.flags !== undefined && path.length === 1) return flags(group.flags, current)
  return first in GROUPS && path.length === 1 ? matching(verbsOf(first), current) : NOTHING
}

/** `compose -f FILE ps`: the same without the flags, and what they say. */
async function skipGroupFlags(
  path: string[],
): Promise<{ rest: string[]; awaits: Flag<unknown> | undefined; values: GroupValues; flags: Flags | undefined }> {
  const [first = "", ...after] = path
  const known = await GROUP_FLAGS[first]?.()
  if (!known) return { rest: path, awaits: undefined, values: {}, flags: undefined }
  const { rest, awaits, values } = skipFlags(known, after)
  return { rest: [first, ...rest], awaits, values, flags: known }
}

type NamesInGroup = (kind: Completion) => Promise<string[]>

/** What may follow a name in the names of other commands. */
function nextWords(name: string): string[] {
  return [...new Set(verbsOf(name).flatMap((verb) => verb.split(" ")[0] ?? []))].toSorted()
}

const NOTHING: Candidates = { words: [], files: false }

async function inCommand(
  command: Command,
  before: readonly string[],
  current: string,
  namesOf: NamesInGroup,
): Promise<Candidates> {
  const { awaits, rest } = skipFlags(command.flags, before, !command.flagsBeforeWords)
  if (awaits) return value(awaits, current, "", namesOf)
  const isProgramWord = command.flagsBeforeWords === true && rest.length > 0
  if (current.startsWith("-") && !isProgramWord && !before.includes("--")) {
    const equals = current.indexOf("=")
    const named = equals < 0 ? undefined : findLong(command.flags, current.slice(2, equals))
    if (named) return value(named, current.slice(equals + 1), current.slice(0, equals + 1), namesOf)
    return flags(command.flags, current)
  }
  const one = argAt(command.args, rest.length)
  if (one?.completes) return matching(await namesOf(one.completes), current)
  return { words: [], files: one !== undefined }
}

/** Words that are no flags, and the flag that still waits for its value. */
function skipFlags(
  known: Flags,
  before: readonly string[],
  interspersed = false,
): { rest: string[]; awaits: Flag<unknown> | undefined; values: GroupValues } {
  try {
    const { words, values } = parseFlags(known, before, interspersed)
    return { rest: words, awaits: undefined, values }
  } catch {
    // a wrong value, or one that is being typed now
  }
  const last = before.at(-1) ?? ""
  const name = /^--([^=]+)$/.exec(last)?.[1]
  const letter = /^-\w*(\w)$/.exec(last)?.[1]
  const awaits = name === undefined ? Object.values(known).find(({ short }) => short === letter) : findLong(known, name)
  return {
    rest: before.filter((word) => !word.startsWith("-")),
    awaits: awaits?.bare === undefined ? awaits : undefined,
    values: {},
  }
}

function findLong(known: Flags, name: string): Flag<unknown> | undefined {
  return Object.entries(known).find(
    ([property, one]) => flagName(property) === name || one.aliases?.includes(name),
  )?.[1]
}

function argAt(args: readonly Arg<unknown>[], index: number): Arg<unknown> | undefined {
  return args[index] ?? (args.at(-1)?.most === Infinity ? args.at(-1) : undefined)
}

async function value(one: Flag<unknown>, current: string, prefix: string, namesOf: NamesInGroup): Promise<Candidates> {
  const { completes } = one
  if (completes === undefined) return { words: [], files: true }
  const known = typeof completes === "string" ? await namesOf(completes) : completes
  return matching(
    known.map((word) => prefix + word),
    prefix + current,
  )
}

function flags(known: Flags, current: string): Candidates {
  const shown = Object.entries(known).filter(([, { hidden }]) => !hidden)
  const words = shown.map(([property, { help }]) => `--${flagName(property)}\t${help.split("\n")[0]}`)
  return matching([...words, "--help\tPrint usage"], current)
}

function matching(words: readonly string[], current: string): Candidates {
  return { words: words.filter((word) => word.startsWith(current)), files: false }
}
