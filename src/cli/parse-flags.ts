import { isSkiffError, type SkiffError } from "../base/errors.ts"
import { flagName, flagTitle, type Flag, type Flags } from "./flag.ts"
import { nearest } from "../base/nearest.ts"
import { UsageError, type Misuse } from "./errors/usage-error.ts"

/** A command line, taken apart. */
export interface ParsedFlags {
  values: Record<string, unknown>
  /** What is no flag, in order. */
  words: string[]
  /** `--help` or a free `-h` stood among them; nothing after it was read. */
  help: boolean
}

/**
 * Reads flags as pflag does: `--name value`, `--name=value`, `-n value`, `-nvalue`, `-n=value`, `-itd`, `--`.
 * With `interspersed` off, the first word ends the flags: all after it belongs to the command that runs.
 * Throws UsageError in Docker's words, with the nearest right name as its hint.
 */
export function parseFlags(flags: Flags, argv: readonly string[], interspersed: boolean): ParsedFlags {
  const { long, short } = index(flags)
  const values = Object.fromEntries(Object.entries(flags).map(([property, { initial }]) => [property, initial]))
  const words: string[] = []
  const set = (property: string, one: Flag<unknown>, text: string) => {
    values[property] = readValue(property, one, text, values[property])
  }
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? ""
    if (word === "--") {
      words.push(...argv.slice(at + 1))
      break
    }
    if (word.length < 2 || !word.startsWith("-")) {
      if (!interspersed) {
        words.push(...argv.slice(at))
        break
      }
      words.push(word)
    } else if (word.startsWith("--")) {
      const [name = "", ...rest] = word.slice(2).split("=")
      const found = long.get(name)
      if (!found && name === "help") return { values, words, help: true }
      if (!found) throw unknownFlag(name, [...long.keys()])
      const [property, one] = found
      if (rest.length > 0) set(property, one, rest.join("="))
      else if (one.bare !== undefined) set(property, one, one.bare)
      else if (++at < argv.length) set(property, one, argv[at] ?? "")
      else throw wrong(`flag needs an argument: --${name}`)
    } else {
      for (let letters = word.slice(1); letters !== "";) {
        const letter = letters[0] ?? ""
        const rest = letters.slice(1)
        const found = short.get(letter)
        if (!found && letter === "h") return { values, words, help: true }
        if (!found) throw unknownShort(letter, word)
        const [property, one] = found
        letters = ""
        if (rest.startsWith("=")) set(property, one, rest.slice(1))
        else if (one.bare !== undefined) {
          set(property, one, one.bare)
          letters = rest
        } else if (rest !== "") set(property, one, rest)
        else if (++at < argv.length) set(property, one, argv[at] ?? "")
        else throw wrong(`flag needs an argument: '${letter}' in ${word}`)
      }
    }
  }
  return { values, words, help: false }
}

type Named = [property: string, flag: Flag<unknown>]

function index(flags: Flags): { long: Map<string, Named>; short: Map<string, Named> } {
  const long = new Map<string, Named>()
  const short = new Map<string, Named>()
  for (const [property, one] of Object.entries(flags)) {
    for (const name of [flagName(property), ...(one.aliases ?? [])]) long.set(name, [property, one])
    if (one.short !== undefined) short.set(one.short, [property, one])
  }
  return { long, short }
}

function readValue(property: string, one: Flag<unknown>, text: string, before: unknown): unknown {
  try {
    return one.read(text, before)
  } catch (error) {
    if (!isSkiffError(error)) throw error
    throw new UsageError(`invalid argument "${text}" for "${flagTitle(property, one)}" flag: ${error.message}`, {
      hint: error.hint,
      cause: error,
      data: {
        usage: "value" satisfies Misuse,
        flag: flagName(property),
        typeName: one.typeName,
        value: text,
        reason: error.message,
      },
    })
  }
}

function unknownFlag(name: string, known: readonly string[]): SkiffError {
  const near = nearest(name, known)
  return wrong(`unknown flag: --${name}`, near === undefined ? undefined : `did you mean --${near}?`)
}

function unknownShort(letter: string, word: string): SkiffError {
  // pflag's words, which name the whole group
  return wrong(`unknown shorthand flag: '${letter}' in ${word}`)
}

function wrong(message: string, hint?: string): SkiffError {
  return new UsageError(message, { hint, data: { usage: "flag" satisfies Misuse } })
}
