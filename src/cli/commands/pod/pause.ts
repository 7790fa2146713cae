import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { choosePods, CHOOSING_PODS, POD_CHOICE_FLAGS } from "../../pod/choose-pods.ts"
import { forEachPod } from "../../pod/for-each-pod.ts"

export default command({
  summary: "Pause one or more pods",
  args: [arg.some("POD", "pods", { unless: CHOOSING_PODS })],
  flags: POD_CHOICE_FLAGS,
  failureCode: 125,
  async run({ args: [names], flags, engine, ...context }) {
    const pods = await engine.pods()
    return forEachPod(await choosePods(pods, names, flags), context, async (name) => {
      await pods.pause(name)
      return context.dialect.results.pod(name, (await pods.get(name)).id)
    })
  },
})
