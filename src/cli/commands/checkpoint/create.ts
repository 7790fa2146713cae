import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { noteFrozen } from "../../output/checkpoint-stats.ts"

export default command({
  summary: "Create a checkpoint from a running container",
  args: [arg.one("CONTAINER", "running"), arg.one("CHECKPOINT")],
  flags: {
    checkpointDir: flag.string("Use a custom checkpoint storage directory"),
    leaveRunning: flag.bool("Leave the container running after checkpoint"),
  },
  async run({ args: [container, name], flags: { checkpointDir, leaveRunning }, engine, out }) {
    const { checkpoints } = await engine.containers()
    const checkpoint = { name, ...(checkpointDir === undefined ? {} : { directory: checkpointDir }) }
    noteFrozen(out, await checkpoints.create(container, { leaveRunning, checkpoint }))
    out.line(name)
  },
})
