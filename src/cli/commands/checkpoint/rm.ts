import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"

export default command({
  summary: "Remove a checkpoint",
  args: [arg.one("CONTAINER", "containers"), arg.one("CHECKPOINT")],
  flags: { checkpointDir: flag.string("Use a custom checkpoint storage directory") },
  async run({ args: [container, name], flags: { checkpointDir }, engine }) {
    const { checkpoints } = await engine.containers()
    await checkpoints.remove(container, { name, ...(checkpointDir === undefined ? {} : { directory: checkpointDir }) })
  },
})
