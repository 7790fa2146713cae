import { textAt, treeAt } from "../../../../kube/kube.ts"
import { arg } from "../../../args.ts"
import { UsageError } from "../../../errors/usage-error.ts"
import { flag } from "../../../flag.ts"
import { changeObjects, chosenObjects } from "../../../kube/changed-objects.ts"
import { kubeCommand } from "../../../kube/kube-command.ts"
import { DRY_RUN, FILE_FLAGS, OUTPUT_FLAGS, PLACE_FLAGS } from "../../../kube/kube-flags.ts"
import { openClient } from "../../../kube/open-client.ts"
import { inTemplate, templateOf } from "../../../kube/pod-template.ts"

export default kubeCommand({
  summary: "Update the service account of a resource",
  args: [arg.rest("(-f FILENAME | TYPE NAME) SERVICE_ACCOUNT")],
  flags: {
    ...PLACE_FLAGS,
    ...FILE_FLAGS,
    ...DRY_RUN,
    ...OUTPUT_FLAGS,
    all: flag.bool("Select all resources, in the namespace of the specified resource types"),
  },
  async run({ args: [words], flags, engine, out }) {
    const account = words.at(-1)
    if (account === undefined) throw new UsageError("serviceaccount is required")
    const client = await openClient(engine, flags)
    const chosen = await chosenObjects(client, words.slice(0, -1), flags)
    const word = "serviceaccount updated"
    await changeObjects(client, out, chosen, { ...flags, fieldManager: "kubectl-set" }, ({ kind, object }) => {
      if (textAt(treeAt(templateOf(object), "spec"), "serviceAccountName") === account)
        return { patch: undefined, word }
      const body = inTemplate(kind, { spec: { serviceAccountName: account } })
      return { patch: { type: "strategic", body }, word }
    })
  },
})
