import { arg } from "../../../args.ts"
import { UsageError } from "../../../errors/usage-error.ts"
import { flag } from "../../../flag.ts"
import { createObject, CREATE_FLAGS } from "../../../kube/create-object.ts"
import { kubeCommand } from "../../../kube/kube-command.ts"
import { pairs } from "../../../kube/key-values.ts"
import { openClient } from "../../../kube/open-client.ts"

export default kubeCommand({
  summary: "Create a pod disruption budget with the specified name",
  args: [arg.one("NAME")],
  flags: {
    ...CREATE_FLAGS,
    selector: flag.string("A label selector to use for this budget. Only equality-based selector requirements"),
    minAvailable: flag.string("The minimum number or percentage of available pods this budget requires"),
    maxUnavailable: flag.string("The maximum number or percentage of unavailable pods this budget requires"),
  },
  async run({ args: [name], flags, engine, out }) {
    const { minAvailable, maxUnavailable } = flags
    if (flags.selector === undefined) throw new UsageError("a selector must be specified")
    if ((minAvailable === undefined) === (maxUnavailable === undefined))
      throw new UsageError("one of min-available or max-unavailable must be specified")
    const spec = {
      ...(minAvailable !== undefined && { minAvailable: numberOrShare(minAvailable) }),
      ...(maxUnavailable !== undefined && { maxUnavailable: numberOrShare(maxUnavailable) }),
      selector: { matchLabels: pairs(flags.selector) },
    }
    const budget = { apiVersion: "policy/v1", kind: "PodDisruptionBudget", metadata: { name }, spec }
    await createObject(await openClient(engine, flags), out, budget, flags)
  },
})

function numberOrShare(text: string): number | string {
  return /^\d+$/.test(text) ? Number(text) : text
}
