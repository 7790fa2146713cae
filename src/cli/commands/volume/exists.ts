import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { exists } from "../../exists.ts"

export default command({
  summary: "Check whether a volume exists: exit code 0 if it does, 1 if not",
  args: [arg.one("VOLUME", "volumes")],
  flags: {},
  failureCode: 125,
  async run({ args: [name], engine }) {
    const volumes = await engine.volumes()
    return exists(() => volumes.get(name))
  },
})
