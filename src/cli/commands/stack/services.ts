import { NotFound } from "../../../base/errors.ts"
import { at, isTree, listAt, numberAt, textAt, type Tree } from "../../../kube/kube.ts"
import { arg } from "../../args.ts"
import { kubeCommand } from "../../kube/kube-command.ts"
import { PLACE_FLAGS } from "../../kube/kube-flags.ts"
import { openClient } from "../../kube/open-client.ts"
import { printRows } from "../../kube/print.ts"
import { stackObjects, WORKLOADS } from "../../stack/stack-objects.ts"

export default kubeCommand({
  summary: "List the services of a stack: its Deployments, StatefulSets, DaemonSets and Jobs",
  args: [arg.one("STACK")],
  flags: PLACE_FLAGS,
  async run({ args: [stack], flags, engine, out }) {
    const client = await openClient(engine, flags)
    const found = await stackObjects(client, { stack, namespace: flags.namespace, words: WORKLOADS })
    if (found.length === 0) throw new NotFound(`nothing found in stack: ${stack}`)
    const rows = found.map(({ kind, object, name, namespace }) => [
      name,
      kind.kind,
      replicas(object),
      textAt(listAt(object, "spec", "template", "spec", "containers").find(isTree), "image"),
      namespace,
    ])
    printRows(out, [["NAME", "KIND", "REPLICAS", "IMAGE", "NAMESPACE"], ...rows])
  },
})

/** `2/3`: ready, and wanted. */
function replicas(object: Tree): string {
  const number = (...path: string[]): number | undefined =>
    at(object, ...path) === undefined ? undefined : numberAt(object, ...path)
  const ready =
    number("status", "readyReplicas") ?? number("status", "numberReady") ?? number("status", "succeeded") ?? 0
  const wanted =
    number("spec", "replicas") ?? number("status", "desiredNumberScheduled") ?? number("spec", "completions") ?? 1
  return `${ready}/${wanted}`
}
