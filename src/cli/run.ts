import type { SkiffError } from "../base/errors.ts"
import { configureLog, type LogLevel } from "../base/log.ts"
import { trace } from "../base/trace.ts"
import { auditCaller, recordRefusal } from "./audit-caller.ts"
import { expectation, readArgs } from "./args.ts"
import type { Command, Context, Globals } from "./command.ts"
import { dialectName, dialectOf, type Dialect } from "./compat/dialect.ts"
import type { FailureContext } from "./errors/failure.ts"
import { reportError } from "./errors/report-error.ts"
import { UsageError, type Misuse } from "./errors/usage-error.ts"
import { hasForeignGlobals } from "./foreign-globals.ts"
import { GLOBAL_FLAGS, LOG_LEVELS } from "./globals.ts"
import { lazyEngine } from "./lazy-engine.ts"
import { nearest } from "../base/nearest.ts"
import { Out, OutputClosed, writeAll } from "./out.ts"
import { parseFlags, type ParsedFlags } from "./parse-flags.ts"
import { printable } from "../base/printable.ts"
import { coloured, RED, YELLOW } from "./terminal/colour.ts"
import { findEntry, GROUP_FLAGS, GROUPS, topLevelNames, verbsOf } from "./table.ts"

/** As a shell shows a program that SIGPIPE ended: 128 + 13. */
const SIGPIPE_EXIT_CODE = 141

/** Runs one command line; gives the exit code. Prints what went wrong, throws nothing. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  const out = new Out()
  const state: FailureContext = newContext()
  let dialect = dialectOf("skiff")
  try {
    dialect = dialectOf(dialectName(process.env, ""))
    return await dispatch(argv, out, state, dialect)
  } catch (thrown) {
    // what failed first; closing the engine failed then, too
    const error: unknown = thrown instanceof SuppressedError ? thrown.suppressed : thrown
    if (error instanceof OutputClosed) return SIGPIPE_EXIT_CODE
    return reportError(error, state, await dialect.failures())
  }
}

/** Tells why a command line was not begun at all; gives the exit code that its command ends with then. */
export async function refuseCommandLine(argv: readonly string[], error: unknown): Promise<number> {
  const state: FailureContext = newContext()
  const { FAILURES } = await import("./compat/failures.ts")
  try {
    const { values, words } = parseFlags(GLOBAL_FLAGS, argv, false)
    const entry = findEntry(words)?.entry
    state.debug = values.debug === true
    state.command = entry?.names[0] ?? ""
    const command = (await entry?.load())?.default
    state.flags = command?.flags ?? {}
    state.failureCode = command?.failureCode ?? 1
    return reportError(error, state, FAILURES)
  } catch (wrongFlag) {
    return reportError(wrongFlag, state, FAILURES)
  }
}

/** Before a command is known. */
function newContext(): FailureContext {
  return { debug: false, command: "", flags: {}, failureCode: 1, endsAsProgram: false }
}

async function dispatch(argv: readonly string[], out: Out, state: FailureContext, dialect: Dialect): Promise<number> {
  const { values, words: typed, help } = parseFlags(GLOBAL_FLAGS, argv, false)
  const globals = values as unknown as Globals & { version: boolean }
  state.debug = globals.debug
  const show = (level: LogLevel, text: string): void => showLogLine(level, text, dialect)
  out.warning = (text) => dialect.warning("warn", text)
  configureLog({ level: globals.debug ? "debug" : logLevel(globals.logLevel), show })
  if (hasForeignGlobals(values)) (await import("./apply-globals.ts")).applyForeignGlobals(values as never)
  if (globals.version) {
    out.line(await versionLine(dialect))
    return 0
  }
  const { words, group } = await readGroupFlags(typed)
  state.asJson = words[0] === "compose" && (group.progress ?? process.env.COMPOSE_PROGRESS) === "json"
  if (words.length === 0 && !help && dialect.needsCommand) {
    await showOverview(out, dialect)
    throw missingCommand(dialect)
  }
  if (help || words.length === 0) return showOverview(out, dialect)
  const found = findEntry(words)
  if (!found) return showGroupOrRefuse(words, out, dialect)
  state.command = found.entry.names[0]
  if (found.entry.entersCgroup) (await import("../sys/process/cgroup-lock.ts")).wakeCgroupLock()
  state.typed = found.name
  const { default: loaded } = await found.entry.load()
  const command = { ...loaded, flags: await dialect.flags(found.entry.names[0], loaded.flags) }
  trace("command loaded")
  state.usage = usageWords(command)
  state.chooses = command.args.some(({ unless }) => unless !== undefined)
  const parsed = parseCommandFlags(found.name, command, words.slice(found.length))
  if (parsed.help) {
    const { helpPages } = await import("./compat/help-of.ts")
    out.text((await helpPages(dialect.name)).command(found.name, found.entry, command))
    return 0
  }
  if (parsed.values.debug === true) configureLog({ level: "debug", show })
  state.flags = command.flags
  state.failureCode = command.failureCode ?? 1
  state.endsAsProgram = command.endsAsProgram ?? false
  const report = async (error: unknown) => reportError(error, state, await dialect.failures())
  return runCommand(found.name, command, parsed, { globals, group, out, report, dialect })
}

/** Flags between a group and its verb, where the group has such: `compose -f FILE up`. What remains is the verb's. */
async function readGroupFlags(typed: string[]): Promise<{ words: string[]; group: Record<string, unknown> }> {
  const [first = "", ...rest] = typed
  const flags = await GROUP_FLAGS[first]?.()
  if (!flags) return { words: typed, group: {} }
  const { values, words, help } = parseFlags(flags, rest, false)
  return { words: [first, ...(help ? ["--help"] : words)], group: values }
}

/** By any of the names that docker and podman have. */
function logLevel(text = "warn"): LogLevel {
  return (LOG_LEVELS as Readonly<Record<string, LogLevel>>)[text] ?? (text as LogLevel)
}

function showLogLine(level: LogLevel, text: string, dialect: Dialect): void {
  const line = dialect.warning(level, printable(text))
  if (line !== undefined) return writeAll(2, line)
  const isLoud = level === "warn" || level === "error"
  const head = `skiff: ${level}:`
  writeAll(2, `${isLoud ? coloured(2, level === "warn" ? YELLOW : RED, head) : head} ${printable(text)}\n`)
}

/** As parseFlags; a refusal that has no better hint points at the command's help. */
function parseCommandFlags(name: string, command: Command, words: readonly string[]): ParsedFlags {
  try {
    return parseFlags(command.flags, words, !command.flagsBeforeWords)
  } catch (error) {
    if (!(error instanceof UsageError) || error.hint !== undefined) throw error
    throw new UsageError(error.message, {
      cause: error.cause,
      hint: `see: skiff ${name} --help`,
      data: error.data,
    })
  }
}

async function runCommand(
  name: string,
  command: Command,
  parsed: { values: Record<string, unknown>; words: string[] },
  context: Pick<Context<[], Record<never, never>>, "globals" | "group" | "out" | "report" | "dialect">,
): Promise<number> {
  const args = readArgs(command.args, parsed.words, parsed.values)
  if (!args) throw wrongCount(name, command, parsed.words.length)
  const { root, runroot: runRoot, runtime, runtimeFlag: runtimeFlags, hooksDir } = context.globals
  const hooksDirectories = hooksDir.length === 0 ? undefined : hooksDir
  const caller = () => auditCaller(name, command.flags, parsed.values)
  await using engine = lazyEngine({
    root,
    runRoot,
    runtime,
    runtimeFlags,
    hooksDirectories,
    looseNames: context.dialect.results.looseNames,
    caller,
  })
  try {
    const code = await command.run({ ...context, args, flags: parsed.values, engine })
    trace("command done")
    return code ?? 0
  } catch (error) {
    await recordRefusal(engine, name, parsed.words, error)
    throw error
  }
}

function wrongCount(name: string, command: Command, given: number): SkiffError {
  const hint = `usage: skiff ${name} ${usageWords(command)}`.trimEnd()
  const least = command.args.reduce((sum, one) => sum + one.least, 0)
  const most = command.args.reduce((sum, one) => sum + one.most, 0)
  const data = { usage: "words" satisfies Misuse, least, most, given }
  // docker: a wrong number of words is 1, a wrong flag 125
  return new UsageError(`'skiff ${name}' ${expectation(command.args)}`, { hint, data }, 1)
}

/** `[OPTIONS] IMAGE [COMMAND] [ARG...]`. */
function usageWords({ flags, args }: Command): string {
  return [...(Object.keys(flags).length > 0 ? ["[OPTIONS]"] : []), ...args.map(({ usage }) => usage)].join(" ")
}

async function showOverview(out: Out, dialect: Dialect): Promise<number> {
  const { helpPages } = await import("./compat/help-of.ts")
  out.text(await (await helpPages(dialect.name)).overview())
  return 0
}

/** `skiff image` shows the group's help; any other name is unknown. */
async function showGroupOrRefuse(words: readonly string[], out: Out, dialect: Dialect): Promise<number> {
  const [first = "", ...rest] = words
  if (!(first in GROUPS)) throw unknownCommand(first, first, topLevelNames())
  const verb = rest.find((word) => !word.startsWith("-"))
  if (verb !== undefined) throw unknownCommand(`${first} ${verb}`, verb, verbsOf(first), `${first} `)
  const { help } = parseFlags({}, rest, true)
  const { helpPages } = await import("./compat/help-of.ts")
  out.text(await (await helpPages(dialect.name)).group(first))
  if (!help && dialect.needsCommand) throw missingCommand(dialect, `${first} `)
  return 0
}

/** Podman's: a group alone shows its help, and is a mistake. */
function missingCommand({ name }: Dialect, prefix = ""): SkiffError {
  return new UsageError(`missing command '${name} ${prefix}COMMAND'`)
}

function unknownCommand(shown: string, word: string, known: readonly string[], prefix = ""): SkiffError {
  const near = nearest(word, known)
  const hint = near === undefined ? `see: skiff ${prefix}--help` : `did you mean skiff ${prefix}${near}?`
  const data = { usage: "command" satisfies Misuse, typed: shown, near, group: prefix.trim() || undefined }
  return new UsageError(`unknown command: skiff ${shown}`, { hint, data }, 1)
}

async function versionLine({ name }: Dialect): Promise<string> {
  const { VERSION } = await import("../base/version.ts")
  return `${name} version ${VERSION}`
}
