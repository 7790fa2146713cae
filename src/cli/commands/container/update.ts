import { arg } from "../../args.ts"
import { CHOICE_FLAGS, chooseContainers, CHOOSING } from "../../choose-containers.ts"
import { command } from "../../command.ts"
import { UPDATE_FLAGS, updateChanges } from "../../container-flags/update.ts"
import { forEachName } from "../../each.ts"

export default command({
  summary: "Update configuration of one or more containers",
  args: [arg.some("CONTAINER", "containers", { unless: CHOOSING })],
  flags: { ...UPDATE_FLAGS, latest: CHOICE_FLAGS.latest },
  async run({ args: [names], flags, engine, dialect, ...context }) {
    const changes = updateChanges(flags)
    const containers = await engine.containers()
    const chosen = chooseContainers(containers, names, flags)
    return forEachName(chosen, context, async (name) =>
      dialect.results.updated(name, (await containers.update(name, changes)).id),
    )
  },
})
