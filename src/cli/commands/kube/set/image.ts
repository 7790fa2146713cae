import { isTree, listAt, textAt, treeAt } from "../../../../kube/kube.ts"
import { NotFound } from "../../../../base/errors.ts"
import { arg } from "../../../args.ts"
import { changeObjects, chosenObjects } from "../../../kube/changed-objects.ts"
import { readKeyChanges } from "../../../kube/key-values.ts"
import { kubeCommand } from "../../../kube/kube-command.ts"
import { ALL_OF_KINDS, CHANGE_FLAGS, SELECT_FLAGS } from "../../../kube/kube-flags.ts"
import { openClient } from "../../../kube/open-client.ts"
import { inTemplate, templateOf } from "../../../kube/pod-template.ts"

export default kubeCommand({
  summary: "Update the image of a pod template",
  args: [arg.rest("(-f FILENAME | TYPE NAME) CONTAINER_NAME_1=CONTAINER_IMAGE_1 ...")],
  flags: {
    ...CHANGE_FLAGS,
    selector: SELECT_FLAGS.selector,
    ...ALL_OF_KINDS,
  },
  async run({ args: [all], flags, engine, out }) {
    const client = await openClient(engine, flags)
    const { words, changes } = readKeyChanges(all, "image")
    const chosen = await chosenObjects(client, words, flags)
    await changeObjects(client, out, chosen, { ...flags, fieldManager: "kubectl-set" }, ({ kind, object }) => {
      const spec = treeAt(templateOf(object), "spec")
      const patch: Record<string, object[]> = {}
      const missing = new Set([...changes.keys()].filter((name) => name !== "*"))
      for (const key of ["initContainers", "containers"])
        for (const container of listAt(spec, key).filter(isTree)) {
          const name = textAt(container, "name")
          const image = changes.get(name) ?? changes.get("*")
          missing.delete(name)
          if (typeof image === "string" && image !== textAt(container, "image"))
            (patch[key] ??= []).push({ name, image })
        }
      const [first] = missing
      if (first !== undefined) throw new NotFound(`unable to find container named "${first}"`)
      if (Object.keys(patch).length === 0) return { patch: undefined, word: "image updated" }
      return { patch: { type: "strategic", body: inTemplate(kind, { spec: patch }) }, word: "image updated" }
    })
  },
})
