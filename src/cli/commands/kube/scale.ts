import { numberAt, textAt } from "../../../kube/kube.ts"
import { FailedPrecondition, InvalidArgument } from "../../../base/errors.ts"
import { arg } from "../../args.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import { changeObjects, chosenObjects } from "../../kube/changed-objects.ts"
import { kubeCommand } from "../../kube/kube-command.ts"
import { CHANGE_FLAGS, SELECT_FLAGS } from "../../kube/kube-flags.ts"
import { openClient } from "../../kube/open-client.ts"

export default kubeCommand({
  summary: "Set a new size for a deployment, replica set, or replication controller",
  args: [arg.rest("(-f FILENAME | TYPE NAME)")],
  flags: {
    ...CHANGE_FLAGS,
    selector: SELECT_FLAGS.selector,
    all: flag.bool("Select all resources in the namespace of the specified resource types"),
    replicas: flag.int("The new desired number of replicas. Required"),
    currentReplicas: flag.int(
      "Precondition for current size. Requires that the current size of the resource match this value in order to scale",
    ),
    resourceVersion: flag.string("Precondition for resource version"),
    timeout: flag.duration("The length of time to wait before giving up on a scale operation: it is done at once"),
  },
  async run({ args: [words], flags, engine, out }) {
    const { replicas } = flags
    if (replicas === undefined)
      throw new UsageError("The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0")
    if (replicas < 0)
      throw new UsageError("The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0")
    const client = await openClient(engine, flags)
    const chosen = await chosenObjects(client, words, flags)
    await changeObjects(client, out, chosen, flags, ({ kind, object }) => {
      if (kind.hasScale !== true) throw new InvalidArgument(`cannot scale a ${kind.kind}: it has no replicas`)
      const current = numberAt(object, "spec", "replicas") ?? 1
      if (flags.currentReplicas !== undefined && flags.currentReplicas !== current)
        throw new FailedPrecondition(`Expected replicas to be ${flags.currentReplicas}, was ${current}`)
      if (
        flags.resourceVersion !== undefined &&
        flags.resourceVersion !== textAt(object, "metadata", "resourceVersion")
      )
        throw new FailedPrecondition(
          `Expected resource version to be ${flags.resourceVersion}, was ${textAt(object, "metadata", "resourceVersion")}`,
        )
      return { patch: { type: "merge", body: { spec: { replicas } }, part: "scale" }, word: "scaled" }
    })
  },
})
