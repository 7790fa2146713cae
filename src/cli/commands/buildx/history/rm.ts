import { arg } from "../../../args.ts"
import { command } from "../../../command.ts"
import { UsageError } from "../../../errors/usage-error.ts"
import { flag } from "../../../flag.ts"
import { BUILDX_FLAGS } from "../../../one-builder.ts"

export default command({
  summary: "Forget builds; their images stay",
  args: [arg.rest("[REF...]")],
  flags: { ...BUILDX_FLAGS, all: flag.bool("Forget all builds") },
  async run({ args: [refs], flags, engine }) {
    if (flags.all === refs.length > 0) throw new UsageError("give the ids of builds, or --all")
    const history = await (await engine.builds()).history()
    if (flags.all) history.clear()
    else history.remove(refs)
  },
})
