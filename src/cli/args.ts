/** One positional argument of a command, or the open end of them. */
export interface Arg<T> {
  /** As the usage line shows it: `IMAGE`, `[COMMAND] [ARG...]`. */
  readonly usage: string
  /** Words it needs at least, and takes at most. */
  readonly least: number
  readonly most: number
  /** What is completed here. */
  readonly completes: Completion | undefined
  /** Properties of flags that choose in its place: given one of them, the argument may be left out. */
  readonly unless?: readonly string[]
  /** The value, of the words that fall to it. */
  read(words: readonly string[]): T
}

/** Names that a shell can ask for. */
export type Completion =
  "containers" | "running" | "images" | "volumes" | "networks" | "secrets" | "pods" | "services" | "objects"

/** The values that a command gets for its arguments. */
export type ArgValues<A extends readonly Arg<unknown>[]> = {
  [I in keyof A]: A[I] extends Arg<infer T> ? T : never
}

/** What an argument may have besides. */
export interface ArgOptions {
  readonly unless?: readonly string[]
}

/** The kinds of arguments. */
export const arg = {
  /** Must be there. Replaced by a flag, it takes no word, and is empty. */
  one: (usage: string, completes?: Completion, options: ArgOptions = {}): Arg<string> => ({
    ...options,
    usage,
    least: 1,
    most: 1,
    completes,
    read: ([word = ""]) => word,
  }),

  /** May be there. */
  optional: (usage: string, completes?: Completion): Arg<string | undefined> => ({
    usage: `[${usage}]`,
    least: 0,
    most: 1,
    completes,
    read: ([word]) => word,
  }),

  /** One or more; stands last. */
  some: (usage: string, completes?: Completion, options: ArgOptions = {}): Arg<readonly string[]> => ({
    ...options,
    usage: `${usage} [${usage}...]`,
    least: 1,
    most: Infinity,
    completes,
    read: (words) => words,
  }),

  /** Any number, `usage` as written; stands last. */
  rest: (usage: string, completes?: Completion): Arg<readonly string[]> => ({
    usage,
    least: 0,
    most: Infinity,
    completes,
    read: (words) => words,
  }),
}

/** Deals the words out to `args`, in order; undefined when there are too few or too many. `flags`: what stands before them. */
export function readArgs(
  declared: readonly Arg<unknown>[],
  words: readonly string[],
  flags: Readonly<Record<string, unknown>> = {},
): unknown[] | undefined {
  const args = declared.map((one) => (one.unless?.some((flag) => isGiven(flags[flag])) ? replaced(one) : one))
  let spare = words.length - args.reduce((sum, { least }) => sum + least, 0)
  if (spare < 0) return undefined
  let next = 0
  const values = args.map((one) => {
    const count = Math.min(one.least + spare, one.most)
    spare -= count - one.least
    next += count
    return one.read(words.slice(next - count, next))
  })
  return spare > 0 ? undefined : values
}

function isGiven(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false
}

/** One word less: of `one` none at all, while `some` still takes words, for the command to refuse. */
function replaced(one: Arg<unknown>): Arg<unknown> {
  return { ...one, least: 0, most: one.most === 1 ? 0 : one.most }
}

/** Docker's words for a wrong number: `requires at least 1 argument`, `accepts no arguments`. */
export function expectation(args: readonly Arg<unknown>[]): string {
  const least = args.reduce((sum, one) => sum + one.least, 0)
  const most = args.reduce((sum, one) => sum + one.most, 0)
  if (most === 0) return "accepts no arguments"
  if (least === most) return `requires ${counted(least)}`
  if (most === Infinity) return `requires at least ${counted(least)}`
  return least === 0 ? `requires at most ${counted(most)}` : `requires ${least} to ${counted(most)}`
}

function counted(count: number): string {
  return `${count} argument${count === 1 ? "" : "s"}`
}
