import { at, isTree, listAt, textAt, treeAt } from "../../../../kube/kube.ts"
import { arg } from "../../../args.ts"
import { flag } from "../../../flag.ts"
import { changeObjects, chosenObjects } from "../../../kube/changed-objects.ts"
import { readKeyChanges } from "../../../kube/key-values.ts"
import { kubeCommand } from "../../../kube/kube-command.ts"
import { ALL_OF_KINDS, CHANGE_FLAGS, SELECT_FLAGS, TEMPLATE_CONTAINERS } from "../../../kube/kube-flags.ts"
import { openClient } from "../../../kube/open-client.ts"
import { inTemplate, templateOf } from "../../../kube/pod-template.ts"

export default kubeCommand({
  summary: "Update environment variables on a pod template",
  args: [arg.rest("(-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N-")],
  flags: {
    ...CHANGE_FLAGS,
    selector: SELECT_FLAGS.selector,
    ...ALL_OF_KINDS,
    ...TEMPLATE_CONTAINERS,
    list: flag.bool("If true, display the environment and any changes in the standard format"),
  },
  async run({ args: [all], flags, engine, out }) {
    const client = await openClient(engine, flags)
    const { words, changes } = flags.list
      ? { words: all, changes: new Map<string, string | null>() }
      : readKeyChanges(all, "environment variable")
    const chosen = await chosenObjects(client, words, flags)
    const isWanted = (container: unknown): boolean =>
      flags.containers === undefined || textAt(container, "name") === flags.containers
    if (flags.list) {
      for (const { kind, object } of chosen)
        for (const container of listAt(treeAt(templateOf(object), "spec"), "containers").filter(isWanted)) {
          out.line(`# ${kind.kind} ${textAt(object, "metadata", "name")}, container ${textAt(container, "name")}`)
          for (const one of listAt(container, "env"))
            out.line(
              isTree(one) && one["valueFrom"] !== undefined
                ? `# ${textAt(one, "name")} from ${sourceOf(one["valueFrom"])}`
                : `${textAt(one, "name")}=${textAt(one, "value")}`,
            )
        }
      return
    }
    await changeObjects(client, out, chosen, { ...flags, fieldManager: "kubectl-set" }, ({ kind, object }) => {
      const containers = listAt(treeAt(templateOf(object), "spec"), "containers")
        .filter(isWanted)
        .map((container) => ({
          name: textAt(container, "name"),
          env: [...changes].map(([name, value]) => (value === null ? { name, $patch: "delete" } : { name, value })),
        }))
      return { patch: { type: "strategic", body: inTemplate(kind, { spec: { containers } }) }, word: "env updated" }
    })
  },
})

function sourceOf(source: unknown): string {
  for (const [key, what] of [
    ["secretKeyRef", "secret"],
    ["configMapKeyRef", "configmap"],
  ] as const)
    if (at(source, key) !== undefined)
      return `${what} ${textAt(source, key, "name")}, key ${textAt(source, key, "key")}`
  if (at(source, "fieldRef") !== undefined) return `field path ${textAt(source, "fieldRef", "fieldPath")}`
  return `resource field ${textAt(source, "resourceFieldRef", "resource")}`
}
