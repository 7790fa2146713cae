import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { checkPlayFlags, PLAY_FLAGS } from "../../kube/play-flags.ts"

export default command({
  summary: "Make pods, volumes and secrets based on Kubernetes YAML",
  args: [arg.some("KUBEFILE|URL|-")],
  flags: PLAY_FLAGS,
  failureCode: 125,
  async run(context) {
    checkPlayFlags(context.flags)
    const { runPlay } = await import("../../kube/run-play.ts")
    return runPlay(context.args[0], context)
  },
})
