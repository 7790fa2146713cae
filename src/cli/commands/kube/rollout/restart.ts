import { restartPatch } from "../../../../kube/kube.ts"
import { arg } from "../../../args.ts"
import { changeObjects, chosenObjects } from "../../../kube/changed-objects.ts"
import { kubeCommand } from "../../../kube/kube-command.ts"
import { FILE_FLAGS, OUTPUT_FLAGS, PLACE_FLAGS, SELECT_FLAGS } from "../../../kube/kube-flags.ts"
import { openClient } from "../../../kube/open-client.ts"

export default kubeCommand({
  summary: "Restart a resource",
  args: [arg.rest("(TYPE NAME | TYPE/NAME)")],
  flags: { ...PLACE_FLAGS, ...FILE_FLAGS, ...OUTPUT_FLAGS, selector: SELECT_FLAGS.selector },
  async run({ args: [words], flags, engine, out }) {
    const client = await openClient(engine, flags)
    const chosen = await chosenObjects(client, words, { ...flags, all: words.length === 1 })
    await changeObjects(client, out, chosen, { ...flags, fieldManager: "kubectl-rollout" }, ({ kind, object }) => ({
      patch: restartPatch(kind, object),
      word: "restarted",
    }))
  },
})
