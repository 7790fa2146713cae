import { apiVersionOf, textAt } from "../../../kube/kube.ts"
import { arg } from "../../args.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import { chosenObjects } from "../../kube/changed-objects.ts"
import { createObject, CREATE_FLAGS } from "../../kube/create-object.ts"
import { kubeCommand } from "../../kube/kube-command.ts"
import { FILE_FLAGS } from "../../kube/kube-flags.ts"
import { openClient } from "../../kube/open-client.ts"

export default kubeCommand({
  summary: "Auto-scale a deployment, replica set, stateful set, or replication controller",
  args: [arg.rest("(-f FILENAME | TYPE NAME)")],
  flags: {
    ...CREATE_FLAGS,
    ...FILE_FLAGS,
    min: flag.int("The lower limit for the number of pods that can be set by the autoscaler"),
    max: flag.int("The upper limit for the number of pods that can be set by the autoscaler. Required"),
    cpuPercent: flag.int(
      "The target average CPU utilization (represented as a percent of requested CPU) over all the pods",
    ),
    cpu: flag.string("Target CPU utilization over all the pods: 80%, or a quantity"),
    memory: flag.string("Target memory utilization over all the pods: 80%, or a quantity"),
    name: flag.string(
      "The name for the newly created object. If not specified, the name of the input resource will be used",
    ),
  },
  async run({ args: [words], flags, engine, out }) {
    if (flags.max === undefined) throw new UsageError("--max=MAXPODS is required and must be at least 1, max: 0")
    const client = await openClient(engine, flags)
    const metrics = [
      ...metricOf("cpu", flags.cpu ?? (flags.cpuPercent === undefined ? undefined : `${flags.cpuPercent}%`)),
      ...metricOf("memory", flags.memory),
    ]
    for (const { kind, object } of await chosenObjects(client, words, flags)) {
      const target = textAt(object, "metadata", "name")
      const spec = {
        scaleTargetRef: { apiVersion: apiVersionOf(kind), kind: kind.kind, name: target },
        ...(flags.min !== undefined && { minReplicas: flags.min }),
        maxReplicas: flags.max,
        ...(metrics.length > 0 && { metrics }),
      }
      const autoscaler = {
        apiVersion: "autoscaling/v2",
        kind: "HorizontalPodAutoscaler",
        metadata: { name: flags.name ?? target },
        spec,
      }
      await createObject(client, out, autoscaler, { ...flags, fieldManager: "kubectl-autoscale" }, "autoscaled")
    }
  },
})

function metricOf(name: string, text: string | undefined): object[] {
  if (text === undefined) return []
  const percent = /^(\d+)%$/.exec(text)?.[1]
  const target =
    percent === undefined
      ? { type: "AverageValue", averageValue: text }
      : { type: "Utilization", averageUtilization: Number(percent) }
  return [{ type: "Resource", resource: { name, target } }]
}
