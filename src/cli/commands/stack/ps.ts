import { NotFound } from "../../../base/errors.ts"
import { textAt } from "../../../kube/kube.ts"
import { arg } from "../../args.ts"
import { kubeCommand } from "../../kube/kube-command.ts"
import { PLACE_FLAGS } from "../../kube/kube-flags.ts"
import { openClient } from "../../kube/open-client.ts"
import { printRows } from "../../kube/print.ts"
import { stackObjects, WORKLOADS } from "../../stack/stack-objects.ts"

export default kubeCommand({
  summary: "List the tasks of a stack: its pods",
  args: [arg.one("STACK")],
  flags: PLACE_FLAGS,
  async run({ args: [stack], flags, engine, out }) {
    const client = await openClient(engine, flags)
    const services = await stackObjects(client, { stack, namespace: flags.namespace, words: WORKLOADS })
    if (services.length === 0) throw new NotFound(`nothing found in stack: ${stack}`)
    const pods = await client.kindNamed("pods")
    const rows: string[][] = []
    for (const namespace of new Set(services.map((one) => one.namespace))) {
      const { items } = await client.list(pods, { namespace, labelSelector: `app.kubernetes.io/instance=${stack}` })
      for (const pod of items)
        rows.push([
          textAt(pod, "metadata", "name"),
          textAt(pod, "status", "phase"),
          textAt(pod, "spec", "nodeName"),
          namespace,
        ])
    }
    printRows(out, [["NAME", "CURRENT STATE", "NODE", "NAMESPACE"], ...rows])
  },
})
