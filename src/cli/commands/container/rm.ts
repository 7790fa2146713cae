import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { forEachName } from "../../each.ts"
import { flag } from "../../flag.ts"
import { isSkiffError } from "../../../base/errors.ts"

export default command({
  summary: "Remove one or more containers",
  args: [arg.some("CONTAINER", "containers")],
  flags: {
    force: flag.bool("Force the removal of a running container (uses SIGKILL)", { short: "f" }),
    volumes: flag.bool("Remove anonymous volumes associated with the container", { short: "v" }),
  },
  async run({ args: [names], flags, engine, ...context }) {
    const containers = await engine.containers()
    return forEachName(names, context, async (name) => {
      try {
        return await containers.remove(name, flags)
      } catch (error) {
        // docker: with --force, what is not there is as good as removed
        if (flags.force && isSkiffError(error, "NotFound")) return null
        throw error
      }
    })
  },
})
