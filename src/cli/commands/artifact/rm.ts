import { isSkiffError } from "../../../base/errors.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { forEachName } from "../../each.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"

export default command({
  summary: "Remove one or more artifacts",
  args: [arg.rest("[ARTIFACT...]")],
  flags: {
    all: flag.bool("Remove all artifacts", { short: "a" }),
    ignore: flag.bool("Ignore errors when an artifact does not exist", { short: "i" }),
  },
  failureCode: 125,
  async run({ args: [names], flags, engine, ...context }) {
    if (flags.all === names.length > 0)
      throw new UsageError(
        flags.all
          ? "when using the --all switch, you may not pass any artifact names or digests"
          : "a single artifact name or digest must be specified",
      )
    const artifacts = await engine.artifacts()
    const wanted = flags.all ? artifacts.list().map(({ name }) => name) : names
    return forEachName(wanted, context, async (name) => {
      try {
        return (await artifacts.remove(name)).replace("sha256:", "")
      } catch (error) {
        if (!flags.ignore || !isSkiffError(error, "NotFound")) throw error
        return null
      }
    })
  },
})
