import type { RunInstruction } from "../../../dockerfile/dockerfile.ts"
import { programOf, shellCommands } from "../shell-commands.ts"

/** One call of a program in a RUN. */
export interface Call {
  program: string
  args: readonly string[]
}

/** What a RUN says to its shell, here-documents among it. */
export function runText({ command, documents }: Pick<RunInstruction, "command" | "documents">): string {
  return [command.words.join(" "), ...documents.map(({ content }) => content)].join("\n")
}

/** The programs that a RUN calls, in order. */
export function callsOf(run: Pick<RunInstruction, "command" | "documents">): Call[] {
  if (!run.command.shell && run.documents.length === 0) {
    const { program, args } = programOf(run.command.words)
    const [, script] = /^-\w*c$/.test(args[0] ?? "") ? args : []
    return SHELLS.has(program) && script !== undefined ? shellCommands(script).map(programOf) : [{ program, args }]
  }
  return shellCommands(runText(run)).map(programOf)
}

const SHELLS = new Set(["sh", "bash", "ash", "dash", "zsh"])

/** Whether the call is one of `programs` with one of the verbs; flags may stand before it. */
export function isCall({ program, args }: Call, programs: readonly string[], verbs: readonly string[]): boolean {
  return programs.includes(program) && args.some((word) => verbs.includes(word))
}

/** Whether the last of the calls that install is followed by one that cleans. */
export function isCleaned(
  calls: readonly Call[],
  installs: (call: Call) => boolean,
  cleans: (call: Call) => boolean,
): boolean {
  return calls.findLastIndex(installs) < calls.findLastIndex(cleans)
}

/** Whether a cache mount takes what the manager writes. */
export function hasCacheMount({ mounts }: Pick<RunInstruction, "mounts">): boolean {
  return mounts.some(
    (mount) =>
      /\btype=cache\b/.test(mount) && /(?:target|dst|destination)=["']?\/(?:var\/(?:cache|lib)|etc\/apk)/.test(mount),
  )
}
