import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { unlessIgnored } from "../../each.ts"
import { flag } from "../../flag.ts"
import { choosePods, CHOOSING_PODS, POD_CHOICE_FLAGS } from "../../pod/choose-pods.ts"
import { IGNORE_POD_FLAG, POD_TIME_FLAG, podStop } from "../../pod/pod-stop.ts"
import { forEachPod } from "../../pod/for-each-pod.ts"

export default command({
  summary: "Remove one or more pods, with their containers",
  args: [arg.some("POD", "pods", { unless: CHOOSING_PODS })],
  flags: {
    ...POD_CHOICE_FLAGS,
    force: flag.bool("Remove pods that run, too: their containers are stopped first", { short: "f" }),
    ignore: IGNORE_POD_FLAG,
    time: POD_TIME_FLAG,
  },
  failureCode: 125,
  async run({ args: [names], flags, engine, ...context }) {
    const pods = await engine.pods()
    const chosen = await choosePods(pods, names, flags)
    // podman: with --force, what is not there is as good as removed
    const isIgnored = flags.ignore || flags.force
    return forEachPod(
      chosen,
      context,
      (name) =>
        unlessIgnored<string>(isIgnored, () => pods.remove(name, { force: flags.force, ...podStop(flags.time) })),
      { missing: 1 },
    )
  },
})
