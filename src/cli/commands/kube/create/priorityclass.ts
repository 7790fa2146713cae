import { arg } from "../../../args.ts"
import { flag } from "../../../flag.ts"
import { createObject, CREATE_FLAGS } from "../../../kube/create-object.ts"
import { kubeCommand } from "../../../kube/kube-command.ts"
import { openClient } from "../../../kube/open-client.ts"

export default kubeCommand({
  summary: "Create a priority class with the specified name",
  args: [arg.one("NAME")],
  flags: {
    ...CREATE_FLAGS,
    value: flag.int("The value of this priority class"),
    globalDefault: flag.bool("Whether this class is that of pods that name none"),
    description: flag.string("When this priority class should be used"),
    preemptionPolicy: flag.string("The policy for preempting pods with lower priority (default PreemptLowerPriority)"),
  },
  async run({ args: [name], flags, engine, out }) {
    const priority = {
      apiVersion: "scheduling.k8s.io/v1",
      kind: "PriorityClass",
      metadata: { name },
      value: flags.value ?? 0,
      ...(flags.globalDefault && { globalDefault: true }),
      ...(flags.description !== undefined && { description: flags.description }),
      preemptionPolicy: flags.preemptionPolicy ?? "PreemptLowerPriority",
    }
    await createObject(await openClient(engine, flags), out, priority, flags)
  },
})
