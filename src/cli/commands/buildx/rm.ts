import { Unsupported } from "../../../base/errors.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { BUILDER, BUILDX_FLAGS, checkBuilder } from "../../one-builder.ts"

export default command({
  summary: "Remove builder instances, of which the only one stays",
  args: [arg.rest("[NAME...]")],
  flags: {
    ...BUILDX_FLAGS,
    allInactive: flag.bool("Remove all inactive builders, of which there are none"),
    force: flag.bool("Do not prompt for confirmation", { short: "f" }),
    keepDaemon: flag.bool("Keep the daemon, of which there is none, running"),
    keepState: flag.bool("Keep the build cache"),
  },
  async run({ args: [names], flags }) {
    for (const name of names) checkBuilder(name)
    if (flags.allInactive && names.length === 0) return
    throw new Unsupported(`the builder "${BUILDER}" is skiff itself, and cannot be removed`, {
      hint: "to remove its cache: skiff builder prune --all",
    })
  },
})
