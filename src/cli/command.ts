import type { Engine } from "../engine/engine.ts"
import type { Arg, ArgValues } from "./args.ts"
import type { Dialect } from "./compat/dialect.ts"
import type { Flags, FlagValues } from "./flag.ts"
import type { Out } from "./out.ts"

/** What every command is handed. */
export interface Context<A extends readonly Arg<unknown>[], F extends Flags> {
  args: ArgValues<A>
  flags: FlagValues<F>
  out: Out
  /** Opens nothing until a domain is asked for. */
  engine: Engine
  globals: Globals
  /** Flags between the group and the verb; empty for a group that has none. */
  group: Readonly<Record<string, unknown>>
  /** How the tool speaks that we are called as. */
  dialect: Dialect
  /** Tells of one failure on standard error; the command goes on with what is left. Gives the exit code that the failure means. */
  report(error: unknown): Promise<number>
}

/** Flags that stand before the command. */
export interface Globals {
  root: string | undefined
  runroot: string | undefined
  runtime: string | undefined
  runtimeFlag: readonly string[]
  hooksDir: readonly string[]
  logLevel: string | undefined
  debug: boolean
}

interface CommandText {
  /** One line, as docker's help has it. */
  summary: string
  /** More lines below the summary. */
  description?: string
  /** Lines under `Examples:`. */
  examples?: readonly string[]
  /** Flags after the first word belong to the program that runs: `run`, `create`, `exec`. */
  flagsBeforeWords?: boolean
  /** Exit code when skiff fails, default 1; docker: 125 for `run` and `exec`. */
  failureCode?: number
  /** It runs a program for the user: the exit code is the program's, 127 when there is none, 126 when it cannot be run. */
  endsAsProgram?: boolean
}

/** What `command()` takes: the arguments' and flags' types are those of `run`. */
export interface CommandSpec<A extends readonly Arg<unknown>[], F extends Flags> extends CommandText {
  args: A
  flags: F
  /** Resolves with the exit code; undefined is 0. */
  run(context: Context<A, F>): Promise<number | void>
}

/** A command whose own types the framework need not know. */
export interface Command extends CommandText {
  args: readonly Arg<unknown>[]
  flags: Flags
  run(context: Context<readonly Arg<unknown>[], Flags>): Promise<number | void>
}

/** A command as data and one call: the default export of each file in `commands/`. */
export function command<const A extends readonly Arg<unknown>[], const F extends Flags>(
  spec: CommandSpec<A, F>,
): Command {
  // safe: run is only called with what parseFlags and readArgs made of these same flags and args
  return spec as unknown as Command
}
