import { gone, placeObject, textAt, withLastApplied } from "../../../kube/kube.ts"
import { flag } from "../../flag.ts"
import { printResults, type ChangeResult } from "../../kube/changed-objects.ts"
import { kubeCommand } from "../../kube/kube-command.ts"
import { DRY_RUN, FILE_FLAGS, OUTPUT_FLAGS, PLACE_FLAGS, VALIDATE } from "../../kube/kube-flags.ts"
import { openClient } from "../../kube/open-client.ts"
import { readSources } from "../../kube/sources.ts"

export default kubeCommand({
  summary: "Replace a resource by file name or stdin",
  args: [],
  flags: {
    ...PLACE_FLAGS,
    ...FILE_FLAGS,
    ...DRY_RUN,
    ...VALIDATE,
    ...OUTPUT_FLAGS,
    force: flag.bool("If true, immediately remove resources from API and create them anew"),
    saveConfig: flag.bool("If true, the configuration of current object will be saved in its annotation"),
    gracePeriod: flag.int("Period of time in seconds given to the resource to terminate gracefully, with --force"),
    cascade: flag.string("Must be background, orphan, or foreground, with --force"),
  },
  async run({ flags, engine, out }) {
    const client = await openClient(engine, flags)
    const results: ChangeResult[] = []
    for (const { object: asked } of await readSources(flags)) {
      const kind = await client.kindOf(asked)
      const placed = placeObject(kind, asked, flags.namespace, client.transport.namespace)
      const object = flags.saveConfig ? withLastApplied(placed.object) : placed.object
      const name = textAt(object, "metadata", "name")
      const write = {
        dryRun: flags.dryRun !== "none",
        fieldManager: "kubectl-replace",
        fieldValidation: flags.validate,
      }
      if (flags.force) {
        if ((await client.find(kind, name, placed.namespace)) !== undefined) {
          await client.delete(kind, name, placed.namespace, { gracePeriodSeconds: flags.gracePeriod ?? 0 })
          await gone(client, kind, name, placed.namespace)
        }
        results.push({ kind, object: await client.create(kind, object, placed.namespace, write), word: "replaced" })
      } else
        results.push({ kind, object: await client.replace(kind, object, placed.namespace, write), word: "replaced" })
    }
    await printResults(out, results, flags)
  },
})
