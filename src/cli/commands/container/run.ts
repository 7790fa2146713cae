import { arg } from "../../args.ts"
import { CidFile } from "../../cidfile.ts"
import { command } from "../../command.ts"
import { CONTAINER_FLAGS, type ContainerFlags } from "../../container-flags.ts"
import { RUN_LIFE_FLAGS } from "../../container-flags/life.ts"
import { inPodOf } from "../../container-flags/pods.ts"
import { tellDiscardedPorts } from "../../discarded-ports.ts"
import { containerOptions } from "../../container-options.ts"
import { keptCommand } from "../../kept-command.ts"
import { flag } from "../../flag.ts"
import { pullIntro } from "../../output/pull-intro.ts"
import { PullProgress } from "../../output/pull-progress.ts"
import { stepTeller } from "../../explain/step-teller.ts"
import { PRESERVE_FLAGS, preservedFdsOf } from "../../preserved-fds.ts"
import { replacing } from "../../replace-container.ts"
import { notifyStarted } from "../../container-flags/sdnotify.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { parseDetachKeys } from "../../terminal/detach-keys.ts"
import { joinContainer } from "../../terminal/join-container.ts"
import { checkStandardInput } from "../../terminal/check-input.ts"

export default command({
  summary: "Create and run a new container from an image",
  args: [arg.one("IMAGE", "images"), arg.rest("[COMMAND] [ARG...]")],
  flags: {
    ...CONTAINER_FLAGS,
    ...RUN_LIFE_FLAGS,
    ...PRESERVE_FLAGS,
    detach: flag.bool("Run container in background and print container ID", { short: "d" }),
    detachKeys: flag.of(parseDetachKeys, "Override the key sequence for detaching a container", "string"),
    explain: flag.bool("Tell each step of the start as it is done, with shell commands that do the same"),
    sigProxy: flag.bool("Proxy received signals to the process", { initial: true }),
  },
  flagsBeforeWords: true,
  failureCode: 125,
  endsAsProgram: true,
  examples: ["skiff run --rm -it debian:12-slim bash", "skiff run -d -p 8080:80 --name web nginx"],
  async run({ args: [image, words], flags, engine, out, dialect }) {
    if (flags.detach && flags.attach.length > 0) throw new UsageError("conflicting options: -a and -d")
    const options = {
      ...containerOptions(image, words, flags),
      createCommand: keptCommand(process.argv.slice(2), words),
    }
    const { tty = false, stdin = false } = options
    if (!flags.detach) checkStandardInput({ tty, stdin }, dialect.results.needsTerminal)
    await using joined = await inPodOf(engine, flags, options)
    using cidFile = flags.cidfile === undefined ? undefined : new CidFile(flags.cidfile)
    const preservedFds = preservedFdsOf(flags)
    const containers = await engine.containers()
    using progress = new PullProgress({ fd: 2, quiet: flags.quiet, intro: () => pullIntro(image, dialect.results) })
    const onStep = flags.explain ? await stepTeller(engine, out) : undefined
    const start = async (hearSignals: () => void) => {
      const run = () =>
        containers.run(joined.options, progress.onProgress, {
          attach: !flags.detach,
          preservedFds,
          onStep,
          onCreated: ({ id, warnings = [] }) => {
            cidFile?.write(id)
            for (const warning of warnings) out.warn(warning)
            tellDiscardedPorts(options, dialect.networks, out)
            hearSignals()
          },
        })
      const started = await replacing(containers, flags, run)
      joined.keep()
      const told = notifyStarted(containers, started)
      if (flags.detach) await told
      progress[Symbol.dispose]()
      if (flags.detach || (dialect.results.tellsUnseen && showsNothing(flags))) out.line(started.container.id)
      return started
    }
    const sigProxy = flags.sigProxy && !flags.detach
    // awaited here: what is `using` above must live as long
    return await joinContainer(containers, start, {
      tty,
      stdin,
      sigProxy,
      tellsWhy: dialect.isTalkative,
      shows: shownStreams(flags),
      detachKeys: flags.detachKeys,
    })
  },
})

/** `-a stdin` alone: podman prints the id then. */
function showsNothing(flags: ContainerFlags): boolean {
  const { stdout, stderr } = shownStreams(flags)
  return !stdout && !stderr
}

/** `-a` names the streams that are shown; without it, both. */
function shownStreams({ attach }: ContainerFlags): { stdout: boolean; stderr: boolean } {
  if (attach.length === 0) return { stdout: true, stderr: true }
  return { stdout: attach.includes("stdout"), stderr: attach.includes("stderr") }
}
