import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { unlessIgnored } from "../../each.ts"
import { choosePods, CHOOSING_PODS, POD_CHOICE_FLAGS } from "../../pod/choose-pods.ts"
import { IGNORE_POD_FLAG, POD_TIME_FLAG, podStop } from "../../pod/pod-stop.ts"
import { forEachPod } from "../../pod/for-each-pod.ts"

export default command({
  summary: "Stop one or more pods",
  args: [arg.some("POD", "pods", { unless: CHOOSING_PODS })],
  flags: { ...POD_CHOICE_FLAGS, ignore: IGNORE_POD_FLAG, time: POD_TIME_FLAG },
  failureCode: 125,
  async run({ args: [names], flags, engine, ...context }) {
    const pods = await engine.pods()
    const chosen = await choosePods(pods, names, flags)
    return forEachPod(chosen, context, (name) =>
      unlessIgnored(flags.ignore, () => pods.stop(name, podStop(flags.time))),
    )
  },
})
