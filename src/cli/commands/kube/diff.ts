import {
  applyObject,
  LAST_APPLIED,
  textsAt,
  isTree,
  kubeYaml,
  placeObject,
  textAt,
  treeAt,
  withAt,
  type Tree,
} from "../../../kube/kube.ts"
import { flag } from "../../flag.ts"
import { kubeCommand } from "../../kube/kube-command.ts"
import { FIELD_MANAGER, FILE_FLAGS, PLACE_FLAGS, SELECT_FLAGS } from "../../kube/kube-flags.ts"
import { openClient } from "../../kube/open-client.ts"
import { readSources } from "../../kube/sources.ts"
import { unifiedDifference } from "../../kube/unified-difference.ts"

/** Something differs. */
const DIFFERS = 1

export default kubeCommand({
  summary: "Diff the live version against a would-be applied version",
  description: "Ends with 0 where nothing differs, 1 where something does, and more where it failed.",
  args: [],
  flags: {
    ...PLACE_FLAGS,
    ...FILE_FLAGS,
    selector: SELECT_FLAGS.selector,
    serverSide: flag.bool("If true, apply runs in the server instead of the client"),
    forceConflicts: flag.bool("If true, server-side apply will force the changes against conflicts"),
    ...FIELD_MANAGER,
    showManagedFields: flag.bool("If true, include managed fields in the diff"),
    concurrency: flag.int("Number of objects to process in parallel: one here"),
    prune: flag.bool("Include resources that would be deleted by pruning: they are not"),
  },
  failureCode: 2,
  async run({ flags, engine, out }) {
    const client = await openClient(engine, flags)
    let code = 0
    for (const { object } of await readSources(flags)) {
      const kind = await client.kindOf(object)
      const { namespace } = placeObject(kind, object, flags.namespace, client.transport.namespace)
      const name = textAt(object, "metadata", "name")
      const live = await client.find(kind, name, namespace)
      const { serverSide, forceConflicts, fieldManager } = flags
      const applied = await applyObject(client, object, {
        namespace: flags.namespace,
        serverSide,
        forceConflicts,
        fieldManager,
        dryRun: true,
      })
      const clean = (one: Tree | undefined): string =>
        one === undefined ? "" : kubeYaml(flags.showManagedFields ? one : withoutNoise(one))
      const group = kind.group === "" ? "" : `${kind.group}.`
      const file = `${group}${kind.version}.${kind.kind}.${namespace ?? ""}.${name}`
      const text = unifiedDifference(clean(live), clean(applied.object), `LIVE/${file}`, `MERGED/${file}`)
      if (text === "") continue
      code = DIFFERS
      out.text(text)
    }
    return code
  },
})

/** Without what the server alone writes. */
function withoutNoise(object: Tree): Tree {
  const metadata = { ...treeAt(object, "metadata") }
  for (const key of ["managedFields", "resourceVersion"]) delete metadata[key]
  const annotations = Object.entries(textsAt(object, "metadata", "annotations")).filter(([key]) => key !== LAST_APPLIED)
  if (annotations.length > 0) metadata["annotations"] = Object.fromEntries(annotations)
  else delete metadata["annotations"]
  const clean = { ...object, metadata }
  return isTree(object["status"]) && Object.keys(object["status"]).length === 0
    ? withAt(clean, ["status"], undefined)
    : clean
}
