import { stageWords } from "../../output/stage-words.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { BUILD_FLAGS } from "../../build/flags.ts"
import { refused, withoutValue } from "../../build/foreign-flag.ts"
import { RUN_FLAGS, runDefaults } from "../../build/run-flags.ts"
import { stepStreams } from "../../build/step-streams.ts"
import { command } from "../../command.ts"
import { CONTAINER_FLAGS } from "../../container-flags.ts"
import { readBoolean } from "../../../spec/docker/boolean.ts"
import { flag } from "../../flag.ts"
import { writeAll } from "../../out.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { callerVariable } from "../../../sys/process/caller-environment.ts"

export default command({
  summary: "Run a command inside of the working container",
  description:
    "Standard input goes to the command. It has a terminal where skiff has one on its input and outputs, unless -t says otherwise.",
  args: [arg.one("CONTAINER"), arg.one("COMMAND"), arg.rest("[ARG...]")],
  flags: {
    ...RUN_FLAGS,
    addHistory: flag.bool("Add an entry for this command to the image's history"),
    contextdir: flag.string("Directory that sources of --mount type=bind are relative to"),
    env: flag.strings("Set an environment variable for this command only", "list", { short: "e" }),
    hostname: flag.string("Host name inside of the container"),
    interactive: flag.bool("Accepted: standard input goes to the command anyway", { short: "i" }),
    mount: flag.strings("Attach a mount: type=bind|cache|tmpfs|secret|ssh,…", "mount"),
    noPivot: withoutValue(refused("a root that is not pivoted to can be left"), "true"),
    runtimeFlag: refused("the runtime's flags are the engine's"),
    secret: BUILD_FLAGS.secret,
    ssh: BUILD_FLAGS.ssh,
    terminal: withoutValue(
      flag.of(readBoolean, "Allocate a pseudo-terminal", "", { short: "t", aliases: ["tty"] }),
      "true",
    ),
    user: CONTAINER_FLAGS.user,
    workingdir: flag.string("Working directory of the command", "string", { aliases: ["workdir"] }),
  },
  flagsBeforeWords: true,
  endsAsProgram: true,
  examples: [
    "skiff builder run $c -- apt-get update",
    "skiff builder run --user www-data $c id",
    "skiff builder run -t $c sh",
    "skiff builder run --mount type=cache,target=/var/cache/apt $c -- apt-get install -y make",
    "tar -c site | skiff builder run $c -- tar -x -C /srv",
  ],
  async run({ args: [container, program, words], flags, engine, out }) {
    const argv = program === "--" ? words : [program, ...words]
    if (argv.length === 0) throw new UsageError("no command to run in the working container")
    const { network, settings } = runDefaults(flags)
    const working = await engine.workingContainers()
    using interrupt = new AbortOnInterrupt()
    using streams = stepStreams(flags.terminal, interrupt)
    await working.run(container, {
      argv,
      env: flags.env.flatMap(envEntry),
      mounts: flags.mount,
      addHistory: flags.addHistory || process.env.BUILDAH_HISTORY === "true",
      onLog: (stream, bytes) => writeAll(stream === "stdout" ? 1 : 2, bytes),
      onProgress: (event) => out.note(stageWords(event)),
      signal: interrupt.signal,
      settings: {
        ...settings,
        secrets: flags.secret,
        ssh: flags.ssh,
        more: {
          ...settings?.more,
          streams,
          ...(flags.hostname === undefined ? {} : { hostname: flags.hostname }),
        },
      },
      ...(network === undefined ? {} : { network }),
      ...(flags.contextdir === undefined ? {} : { contextDir: flags.contextdir }),
      ...(flags.user === undefined ? {} : { user: flags.user }),
      ...(flags.workingdir === undefined ? {} : { cwd: flags.workingdir }),
    })
  },
})

/** `NAME=VALUE`, or `NAME` for the caller's. */
function envEntry(text: string): string[] {
  if (text.includes("=")) return [text]
  const value = callerVariable(text)
  return value === undefined ? [] : [`${text}=${value}`]
}
