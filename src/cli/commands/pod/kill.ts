import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { choosePods, CHOOSING_PODS, POD_CHOICE_FLAGS } from "../../pod/choose-pods.ts"
import { forEachPod } from "../../pod/for-each-pod.ts"

const { all, latest } = POD_CHOICE_FLAGS

export default command({
  summary: "Send the specified signal to the containers of pods",
  args: [arg.some("POD", "pods", { unless: CHOOSING_PODS })],
  flags: { all, latest, signal: flag.string('Signal to send (default "KILL")', "string", { short: "s" }) },
  failureCode: 125,
  async run({ args: [names], flags, engine, ...context }) {
    const pods = await engine.pods()
    const chosen = await choosePods(pods, names, flags)
    return forEachPod(chosen, context, async (name) => {
      await pods.kill(name, flags.signal ?? "SIGKILL")
      return context.dialect.results.pod(name, (await pods.get(name)).id)
    })
  },
})
