import { callerEnvironment } from "../../../sys/process/caller-environment.ts"
import { parseEnv } from "../../../spec/docker/environment.ts"
import { arg } from "../../args.ts"
import { composeCommand } from "../../compose/compose-command.ts"
import type { ComposeSession } from "../../compose/compose-session.ts"
import { flag } from "../../flag.ts"
import { runExec } from "../../run-exec.ts"

export default composeCommand({
  summary: "Execute a command in a running container",
  args: [arg.one("SERVICE", "services"), arg.one("COMMAND"), arg.rest("[ARGS...]")],
  flags: {
    detach: flag.bool("Detached mode: Run command in the background", { short: "d" }),
    env: flag.strings("Set environment variables", "stringArray", { short: "e" }),
    index: flag.int("Index of the container if service has multiple replicas"),
    interactive: flag.bool("Keep STDIN open even if not attached", { short: "i", hidden: true, initial: true }),
    noTty: flag.bool("Disable pseudo-TTY allocation. By default `compose exec` allocates a TTY on a terminal", {
      short: "T",
      aliases: ["no-TTY"],
    }),
    privileged: flag.bool("Give extended privileges to the process"),
    tty: flag.bool("Allocate a pseudo-TTY", { short: "t", hidden: true }),
    user: flag.string("Run the command as this user", "string", { short: "u" }),
    workdir: flag.string("Path to workdir directory for this command", "string", { short: "w" }),
  },
  flagsBeforeWords: true,
  endsAsProgram: true,
  async run({ args: [service, program, words], flags, compose, engine, out }) {
    const { detach, interactive, privileged, user, workdir } = flags
    const name = await compose.name()
    const { container } = await (await compose.compose()).container(name, service, { index: flags.index || undefined })
    if (compose.isDryRun) return 0
    const request = {
      command: [program, ...words],
      tty: !flags.noTty && !detach && out.stdoutIsTerminal,
      stdin: interactive && !detach,
      env: await environmentWords(compose, flags.env),
      privileged,
      user,
      workdir,
    }
    return runExec(await engine.containers(), container.id, request, { detach })
  },
})

/** A name alone has the caller's value, or that of the project's `.env`; without one it is left out. */
async function environmentWords(compose: ComposeSession, given: readonly string[]): Promise<string[]> {
  const own = callerEnvironment()
  const isUnknown = (word: string) => !word.includes("=") && own[word] === undefined
  const environment = given.some(isUnknown) ? { ...(await projectEnvironment(compose)), ...own } : own
  return given.flatMap((word) => parseEnv(word, environment) ?? [])
}

async function projectEnvironment(compose: ComposeSession): Promise<Readonly<Record<string, string>>> {
  try {
    return (await compose.load([], { skipEnvironmentResolution: true })).project.environment
  } catch {
    // there are no files, or wrong ones: the program can be run all the same
    return {}
  }
}
