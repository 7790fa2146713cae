import { InvalidArgument } from "../../../base/errors.ts"
import type { Containers } from "../../../container/container.ts"
import { arg } from "../../args.ts"
import { CHOICE_FLAGS, chooseContainers, CHOOSING, isDown } from "../../choose-containers.ts"
import { command } from "../../command.ts"
import { forEachName } from "../../each.ts"
import { notifyStarted } from "../../container-flags/sdnotify.ts"
import { flag } from "../../flag.ts"
import { checkStandardInput } from "../../terminal/check-input.ts"
import { parseDetachKeys } from "../../terminal/detach-keys.ts"
import { joinContainer } from "../../terminal/join-container.ts"

export default command({
  summary: "Start one or more stopped containers",
  args: [arg.some("CONTAINER", "containers", { unless: CHOOSING })],
  flags: {
    all: flag.bool("Start all containers that do not run"),
    attach: flag.bool("Attach STDOUT/STDERR and forward signals", { short: "a" }),
    checkpoint: flag.string("Restore from this checkpoint"),
    checkpointDir: flag.string("Use a custom checkpoint storage directory"),
    detachKeys: flag.of(parseDetachKeys, "Override the key sequence for detaching a container", "string"),
    filter: CHOICE_FLAGS.filter,
    interactive: flag.bool("Attach container's STDIN", { short: "i" }),
    latest: CHOICE_FLAGS.latest,
    sigProxy: flag.bool("Proxy received signals to the process", { initial: true }),
  },
  endsAsProgram: true,
  async run({ args: [given], flags, engine, ...context }) {
    const containers = await engine.containers()
    const names = chooseContainers(containers, given, flags, isDown)
    if (flags.checkpoint !== undefined) return await restoreNamed(containers, names, flags.checkpoint, flags, context)
    if (!flags.attach && !flags.interactive) {
      const start = async (name: string): Promise<void> => {
        const started = await containers.start(name)
        await notifyStarted(containers, started)
        started.release()
      }
      if (!flags.all) return forEachName(names, context, start)
      const { startAll } = await import("../../compose/start-all.ts")
      return startAll({ engine, containers, ...context }, names, start)
    }
    const [name = "", ...more] = names
    if (more.length > 0) throw new InvalidArgument("you cannot start and attach multiple containers at once")
    const { options } = containers.get(name)
    const stdin = options.stdin && flags.interactive
    checkStandardInput({ tty: options.tty, stdin })
    const join = async (hearSignals: () => void) => {
      hearSignals()
      const started = await containers.start(name, { attach: true })
      void notifyStarted(containers, started)
      return started
    }
    const tellsWhy = context.dialect.isTalkative
    return joinContainer(containers, join, { ...flags, tellsWhy, tty: options.tty, stdin })
  },
})

/** Docker's way back to a checkpoint: of one container, which nobody is attached to. */
async function restoreNamed(
  containers: Containers,
  names: readonly string[],
  checkpoint: string,
  { attach, interactive, checkpointDir }: { attach: boolean; interactive: boolean; checkpointDir: string | undefined },
  context: Parameters<typeof forEachName>[1],
): Promise<number> {
  if (attach || interactive || names.length > 1)
    throw new InvalidArgument("you cannot start multiple containers or attach with a checkpoint")
  const directory = checkpointDir === undefined ? {} : { directory: checkpointDir }
  return await forEachName(names, context, async (name) => {
    await containers.checkpoints.restore(name, { checkpoint: { name: checkpoint, ...directory } })
  })
}
