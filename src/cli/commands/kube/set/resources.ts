import { listAt, textAt, treeAt } from "../../../../kube/kube.ts"
import { arg } from "../../../args.ts"
import { UsageError } from "../../../errors/usage-error.ts"
import { flag } from "../../../flag.ts"
import { changeObjects, chosenObjects } from "../../../kube/changed-objects.ts"
import { kubeCommand } from "../../../kube/kube-command.ts"
import { ALL_OF_KINDS, CHANGE_FLAGS, SELECT_FLAGS, TEMPLATE_CONTAINERS } from "../../../kube/kube-flags.ts"
import { openClient } from "../../../kube/open-client.ts"
import { inTemplate, templateOf } from "../../../kube/pod-template.ts"

export default kubeCommand({
  summary: "Update resource requests/limits on objects with pod templates",
  args: [arg.rest("(-f FILENAME | TYPE NAME)")],
  flags: {
    ...CHANGE_FLAGS,
    selector: SELECT_FLAGS.selector,
    ...ALL_OF_KINDS,
    ...TEMPLATE_CONTAINERS,
    limits: flag.of(
      readAmounts,
      "The resource limits for this container. For example, 'cpu=100m,memory=256Mi'",
      "string",
    ),
    requests: flag.of(
      readAmounts,
      "The resource requests for this container. For example, 'cpu=100m,memory=256Mi'",
      "string",
    ),
  },
  async run({ args: [words], flags, engine, out }) {
    const { limits, requests } = flags
    if (limits === undefined && requests === undefined)
      throw new UsageError("you must specify an update to requests or limits (in the form of --requests/--limits)")
    const client = await openClient(engine, flags)
    const chosen = await chosenObjects(client, words, flags)
    await changeObjects(client, out, chosen, { ...flags, fieldManager: "kubectl-set" }, ({ kind, object }) => {
      const containers = listAt(treeAt(templateOf(object), "spec"), "containers")
        .filter((one) => flags.containers === undefined || textAt(one, "name") === flags.containers)
        .map((one) => ({
          name: textAt(one, "name"),
          resources: { ...(limits && { limits }), ...(requests && { requests }) },
        }))
      return {
        patch: { type: "strategic", body: inTemplate(kind, { spec: { containers } }) },
        word: "resource requirements updated",
      }
    })
  },
})

function readAmounts(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split(",").map((one) => {
      const [name = "", amount = ""] = one.split("=", 2)
      if (name === "" || amount === "")
        throw new UsageError(`invalid argument syntax ${one}, expected <resource>=<value>`)
      return [name, amount]
    }),
  )
}
