import { kubeCommand } from "../../kube/kube-command.ts"
import { PLACE_FLAGS } from "../../kube/kube-flags.ts"
import { openClient } from "../../kube/open-client.ts"
import { printRows } from "../../kube/print.ts"
import { stackObjects, WORKLOADS } from "../../stack/stack-objects.ts"

export default kubeCommand({
  summary: "List stacks that were applied as Kubernetes objects",
  args: [],
  flags: PLACE_FLAGS,
  async run({ flags, engine, out }) {
    const client = await openClient(engine, flags)
    const counts = new Map<string, { stack: string; namespace: string; services: number }>()
    for (const { stack, namespace } of await stackObjects(client, { namespace: flags.namespace, words: WORKLOADS })) {
      const one = counts.get(`${stack} ${namespace}`) ?? { stack, namespace, services: 0 }
      one.services++
      counts.set(`${stack} ${namespace}`, one)
    }
    const rows = [...counts.values()].map(({ stack, namespace, services }) => [
      stack,
      `${services}`,
      "Kubernetes",
      namespace,
    ])
    printRows(out, [["NAME", "SERVICES", "ORCHESTRATOR", "NAMESPACE"], ...rows])
  },
})
