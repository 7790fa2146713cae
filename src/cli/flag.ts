import { InvalidArgument } from "../base/errors.ts"
import { parseSize } from "../base/sizes.ts"
import { readBoolean } from "../spec/docker/boolean.ts"
import { parseDuration } from "../spec/docker/duration.ts"
import { parseTimestamp } from "../spec/docker/timestamp.ts"
import type { Completion } from "./args.ts"

/** One flag of a command: how it reads, how help shows it. */
export interface Flag<T> extends FlagOptions {
  readonly help: string
  /** The word after the name in help; empty for a boolean. */
  readonly typeName: string
  /** The value when the flag stands without one (pflag's NoOptDefVal): such a flag never eats the next word. */
  readonly bare?: string
  /** The value when it is not given. */
  readonly initial: T
  /** The value after one more occurrence. Throws InvalidArgument. */
  read(text: string, before: T): T
}

/** What all kinds of flags may have. */
export interface FlagOptions {
  /** One letter. */
  readonly short?: string
  /** Other long names, accepted and not shown. */
  readonly aliases?: readonly string[]
  /** Accepted and not shown. */
  readonly hidden?: boolean
  readonly completes?: Completion | readonly string[]
}

/** Flags of a command by the names that its code knows them by. */
export type Flags = Readonly<Record<string, Flag<unknown>>>

/** The values that a command gets for its flags. */
export type FlagValues<F extends Flags> = { [K in keyof F]: F[K] extends Flag<infer T> ? T : never }

/** Builders. The property's name is the flag's: `stopTimeout` is `--stop-timeout`. */
export const flag = {
  bool(help: string, options: FlagOptions & { initial?: boolean } = {}): Flag<boolean> {
    const { initial = false, ...rest } = options
    return { ...rest, help, typeName: "", bare: "true", initial, read: readBoolean }
  },

  string(help: string, typeName = "string", options: FlagOptions = {}): Flag<string | undefined> {
    return { ...options, help, typeName, initial: undefined, read: (text) => text }
  },

  /** May be repeated; each occurrence adds one. */
  strings(help: string, typeName = "list", options: FlagOptions = {}): Flag<readonly string[]> {
    return flag.list((text) => text, help, typeName, options)
  },

  int(help: string, options: FlagOptions & { typeName?: string } = {}): Flag<number | undefined> {
    return flag.of(readInteger, help, options.typeName ?? "int", options)
  },

  /** Bytes. */
  size(help: string, options: FlagOptions = {}): Flag<number | undefined> {
    return flag.of((text) => parseSize(text), help, "bytes", options)
  },

  /** Milliseconds. */
  duration(help: string, options: FlagOptions = {}): Flag<number | undefined> {
    return flag.of((text) => parseDuration(text), help, "duration", options)
  },

  /** A moment: RFC 3339, seconds since 1970, or so long ago. */
  time(help: string, options: FlagOptions = {}): Flag<Date | undefined> {
    return flag.of((text) => parseTimestamp(text), help, "string", options)
  },

  /** One of `choices`; anything else is refused. */
  choice<const C extends string>(
    choices: readonly C[],
    help: string,
    options: FlagOptions & { initial?: C } = {},
  ): Flag<C | undefined> {
    const read = (text: string): C => {
      const found = choices.find((choice) => choice === text)
      if (found === undefined) throw new InvalidArgument(`must be one of ${choices.join(", ")}`)
      return found
    }
    return { ...options, help, typeName: "string", initial: options.initial, completes: choices, read }
  },

  /** Parsed by `parse`; the last one given counts. */
  of<T>(parse: (text: string) => T, help: string, typeName: string, options: FlagOptions = {}): Flag<T | undefined> {
    return { ...options, help, typeName, initial: undefined, read: (text) => parse(text) }
  },

  /** Each occurrence is parsed by `parse` and added. */
  list<T>(parse: (text: string) => T, help: string, typeName = "list", options: FlagOptions = {}): Flag<readonly T[]> {
    return { ...options, help, typeName, initial: [], read: (text, before) => [...before, parse(text)] }
  },
}

function readInteger(text: string): number {
  const value = Number(text)
  if (!/^[+-]?\d+$/.test(text) || !Number.isSafeInteger(value)) throw new InvalidArgument("expected a whole number")
  return value
}

/** `stopTimeout` → `stop-timeout`; capitals in a row stay what they are: `noTTY` → `no-TTY`. */
export function flagName(property: string): string {
  return property.replace(/[A-Z]+/g, (letters) => `-${letters.length > 1 ? letters : letters.toLowerCase()}`)
}

/** As messages name it: `-m, --memory`. */
export function flagTitle(property: string, { short }: FlagOptions): string {
  return short === undefined ? `--${flagName(property)}` : `-${short}, --${flagName(property)}`
}
