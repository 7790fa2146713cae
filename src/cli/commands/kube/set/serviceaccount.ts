import { textAt, treeAt } from "../../../../kube/kube.ts"
import { arg } from "../../../args.ts"
import { UsageError } from "../../../errors/usage-error.ts"
import { changeObjects, chosenObjects } from "../../../kube/changed-objects.ts"
import { kubeCommand } from "../../../kube/kube-command.ts"
import { ALL_OF_KINDS, CHANGE_FLAGS } from "../../../kube/kube-flags.ts"
import { openClient } from "../../../kube/open-client.ts"
import { inTemplate, templateOf } from "../../../kube/pod-template.ts"

export default kubeCommand({
  summary: "Update the service account of a resource",
  args: [arg.rest("(-f FILENAME | TYPE NAME) SERVICE_ACCOUNT")],
  flags: {
    ...CHANGE_FLAGS,
    ...ALL_OF_KINDS,
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
