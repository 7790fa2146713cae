import { callerEnvironment } from "../../../sys/process/caller-environment.ts"
import { parseEnvFile, parseEnvOrPrefix } from "../../../spec/docker/environment.ts"
import { arg } from "../../args.ts"
import { CHOICE_FLAGS, chooseContainer } from "../../choose-containers.ts"
import { command } from "../../command.ts"
import { readText } from "../../container-options.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import { PRESERVE_FLAGS, preservedFdsOf } from "../../preserved-fds.ts"
import { runExec } from "../../run-exec.ts"
import { parseDetachKeys } from "../../terminal/detach-keys.ts"

export default command({
  summary: "Execute a command in a running container",
  args: [arg.one("CONTAINER", "running", { unless: ["latest", "cidfile"] }), arg.one("COMMAND"), arg.rest("[ARG...]")],
  flags: {
    cidfile: flag.string("Read the container ID from the file"),
    detach: flag.bool("Detached mode: run command in the background", { short: "d" }),
    detachKeys: flag.of(parseDetachKeys, "Override the key sequence for detaching a container", "string"),
    env: flag.list((text) => parseEnvOrPrefix(text, callerEnvironment()), "Set environment variables", "list", {
      short: "e",
    }),
    envFile: flag.strings("Read in a file of environment variables"),
    interactive: flag.bool("Keep STDIN open even if not attached", { short: "i" }),
    latest: CHOICE_FLAGS.latest,
    noSession: flag.bool("Leave no record of it: neither inspect nor events know of the program"),
    ...PRESERVE_FLAGS,
    privileged: flag.bool("Give extended privileges to the command"),
    tty: flag.bool("Allocate a pseudo-TTY", { short: "t" }),
    user: flag.string('Username or UID (format: "<name|uid>[:<group|gid>]")', "string", { short: "u" }),
    workdir: flag.string("Working directory inside the container", "string", { short: "w" }),
  },
  flagsBeforeWords: true,
  failureCode: 125,
  endsAsProgram: true,
  async run({ args: [given, program, words], flags, engine, out, dialect }) {
    const { detach, tty, privileged, user, workdir } = flags
    const stdin = flags.interactive && !detach
    if (detach && flags.noSession) throw new UsageError("--no-session and --detach cannot be used together")
    const preservedFds = preservedFdsOf(flags)
    const containers = await engine.containers()
    const name = chooseContainer(containers, given, flags)
    const request = {
      command: [program, ...words],
      tty,
      stdin,
      env: [
        ...flags.envFile.flatMap((file) => parseEnvFile(readText(file, "env-file"), file, callerEnvironment())),
        ...flags.env.flat(),
      ],
      privileged,
      user,
      workdir,
    }
    const { detachKeys, noSession: unrecorded } = flags
    const onDetached = (id: string): void => {
      const line = dialect.results.execStarted(id)
      if (line !== undefined) out.line(line)
    }
    const { needsTerminal } = dialect.results
    return runExec(containers, name, request, {
      detach,
      preservedFds,
      unrecorded,
      detachKeys,
      onDetached,
      needsTerminal,
    })
  },
})
