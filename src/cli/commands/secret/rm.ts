import { isSkiffError } from "../../../base/errors.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { forEachName } from "../../each.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"

export default command({
  summary: "Remove one or more secrets",
  args: [arg.rest("SECRET [SECRET...]", "secrets")],
  flags: {
    all: flag.bool("Remove all secrets", { short: "a" }),
    ignore: flag.bool("Ignore errors when a specified secret is missing", { short: "i" }),
  },
  async run({ args: [names], flags, engine, ...context }) {
    if (flags.all && names.length > 0) throw new UsageError("conflicting options: names and --all")
    if (!flags.all && names.length === 0) throw new UsageError("requires at least 1 argument", {}, 1)
    const secrets = await engine.secrets()
    const asked = flags.all ? secrets.list().map(({ id }) => id as string) : names
    return forEachName(asked, context, (name) => {
      try {
        return secrets.remove(name).id
      } catch (error) {
        if (flags.ignore && isSkiffError(error, "NotFound")) return null
        throw error
      }
    })
  },
})
