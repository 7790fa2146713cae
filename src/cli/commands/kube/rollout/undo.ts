import { undoPatch } from "../../../../kube/kube.ts"
import { arg } from "../../../args.ts"
import { flag } from "../../../flag.ts"
import { changeObjects, chosenObjects } from "../../../kube/changed-objects.ts"
import { kubeCommand } from "../../../kube/kube-command.ts"
import { CHANGE_FLAGS, SELECT_FLAGS } from "../../../kube/kube-flags.ts"
import { openClient } from "../../../kube/open-client.ts"

export default kubeCommand({
  summary: "Undo a previous rollout",
  args: [arg.rest("(TYPE NAME | TYPE/NAME)")],
  flags: {
    ...CHANGE_FLAGS,
    selector: SELECT_FLAGS.selector,
    toRevision: flag.int("The revision to rollback to. Default to 0 (last revision)"),
  },
  async run({ args: [words], flags, engine, out }) {
    const client = await openClient(engine, flags)
    for (const one of await chosenObjects(client, words, flags)) {
      const patch = await undoPatch(client, one.kind, one.object, flags.toRevision ?? 0)
      const word =
        patch === undefined
          ? `skipped rollback (current template already matches revision ${flags.toRevision ?? 0})`
          : "rolled back"
      await changeObjects(client, out, [one], { ...flags, fieldManager: "kubectl-rollout" }, () => ({ patch, word }))
    }
  },
})
