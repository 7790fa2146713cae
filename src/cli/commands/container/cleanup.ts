import { isSkiffError } from "../../../base/errors.ts"
import { arg } from "../../args.ts"
import { CHOICE_FLAGS, chooseContainers, CHOOSING, isDown } from "../../choose-containers.ts"
import { command } from "../../command.ts"
import { forEachName } from "../../each.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"

const { all, latest } = CHOICE_FLAGS

export default command({
  summary: "Take down what ended containers have left: mounts, networks, run directories",
  args: [arg.some("CONTAINER", "containers", { unless: CHOOSING })],
  flags: {
    all,
    exec: flag.string("Clean up after this exec session alone"),
    latest,
    rm: flag.bool("Remove the containers, too"),
    rmi: flag.bool("Remove the containers and their images"),
    stoppedOnly: flag.bool("Leave out containers that are not stopped"),
  },
  async run({ args: [names], flags, engine, ...context }) {
    if (flags.exec !== undefined)
      for (const other of ["all", "rm", "rmi"] as const)
        if (flags[other]) throw new UsageError(`--exec and --${other} cannot be used together`)
    const containers = await engine.containers()
    const chosen = chooseContainers(containers, names, flags, isDown)
    return forEachName(chosen, context, async (name) => {
      const container = containers.get(name)
      if (flags.stoppedOnly && !isDown(container)) return
      await containers.cleanup(container.id, flags.exec)
      if (!flags.rm && !flags.rmi) return
      await containers.remove(container.id)
      if (flags.rmi) await removeUnused(async () => (await engine.images()).remove(container.imageId))
    })
  },
})

/** Another container may stand on it. */
async function removeUnused(remove: () => Promise<unknown>): Promise<void> {
  try {
    await remove()
  } catch (error) {
    if (!isSkiffError(error, "FailedPrecondition") && !isSkiffError(error, "NotFound")) throw error
  }
}
