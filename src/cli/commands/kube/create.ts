import { placeObject, textAt, titleOf, withLastApplied, type Tree } from "../../../kube/kube.ts"
import { CREATE_FLAGS } from "../../kube/create-object.ts"
import { asServerError, kubeCommand } from "../../kube/kube-command.ts"
import { dryRunSuffix, FILE_FLAGS, PLACE_FLAGS } from "../../kube/kube-flags.ts"
import { openClient } from "../../kube/open-client.ts"
import { listOf, printObject } from "../../kube/print.ts"
import { readSources } from "../../kube/sources.ts"

export default kubeCommand({
  summary: "Create a resource from a file or from stdin",
  args: [],
  flags: {
    ...PLACE_FLAGS,
    ...FILE_FLAGS,
    ...CREATE_FLAGS,
  },
  async run({ flags, engine, out, report }) {
    const client = await openClient(engine, flags)
    const made: { title: string; object: Tree }[] = []
    let code = 0
    const suffix = dryRunSuffix(flags.dryRun)
    for (const { object: asked, source } of await readSources(flags))
      try {
        const kind = await client.kindOf(asked)
        const { object, namespace } = placeObject(kind, asked, flags.namespace, client.transport.namespace)
        const whole = flags.saveConfig ? withLastApplied(object) : object
        const created = await client.create(kind, whole, namespace, {
          dryRun: flags.dryRun !== "none",
          fieldManager: flags.fieldManager ?? "kubectl-create",
          fieldValidation: flags.validate,
        })
        for (const warning of client.warnings.splice(0)) out.note(`Warning: ${warning}`)
        const title = titleOf(kind, textAt(created, "metadata", "name"))
        made.push({ title, object: created })
        if (flags.output === undefined) out.line(`${title} created${suffix}`)
        if (kind.kind === "CustomResourceDefinition") client.forgetKinds()
      } catch (error) {
        code = await report(asServerError(error, `error when creating "${source}": `))
      }
    const [only] = made
    if (flags.output === undefined || only === undefined) return code
    await printObject(
      out,
      made.length === 1 ? only.object : listOf(made.map(({ object }) => object)),
      made.map(({ title }) => title),
      flags,
    )
    return code
  },
})
