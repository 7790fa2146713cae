import { readFileSync } from "node:fs"
import { manifestDocument, type PatchBody } from "../../../kube/kube.ts"
import { arg } from "../../args.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import { changeObjects, chosenObjects } from "../../kube/changed-objects.ts"
import { kubeCommand } from "../../kube/kube-command.ts"
import { FIELD_MANAGER, DRY_RUN, FILE_FLAGS, OUTPUT_FLAGS, PLACE_FLAGS } from "../../kube/kube-flags.ts"
import { openClient } from "../../kube/open-client.ts"

export default kubeCommand({
  summary: "Update fields of a resource using strategic merge patch, a JSON merge patch, or a JSON patch",
  args: [arg.rest("(-f FILENAME | TYPE NAME)")],
  flags: {
    ...PLACE_FLAGS,
    ...FILE_FLAGS,
    ...DRY_RUN,
    ...OUTPUT_FLAGS,
    patch: flag.string("The patch to be applied to the resource: JSON or YAML", "string", { short: "p" }),
    patchFile: flag.string("A file containing a patch to be applied to the resource"),
    type: flag.choice(
      ["json", "merge", "strategic"],
      "The type of patch being provided; one of [json merge strategic]",
      { initial: "strategic" },
    ),
    subresource: flag.string(
      "If specified, patch will operate on the subresource of the requested object: status, scale or resize",
    ),
    ...FIELD_MANAGER,
  },
  async run({ args: [words], flags, engine, out }) {
    const text = flags.patchFile === undefined ? flags.patch : readFileSync(flags.patchFile, "utf8")
    if (text === undefined || text === "")
      throw new UsageError("must specify --patch or --patch-file containing the contents of the patch")
    const body = manifestDocument(text, "the patch")
    const client = await openClient(engine, flags)
    const chosen = await chosenObjects(client, words, flags)
    const { type = "strategic" } = flags
    const patch: PatchBody = { type, body, ...(flags.subresource !== undefined && { part: flags.subresource }) }
    await changeObjects(
      client,
      out,
      chosen,
      { ...flags, fieldManager: flags.fieldManager ?? "kubectl-patch" },
      ({ kind }) => ({
        patch: kind.isCustom === true && type === "strategic" ? { ...patch, type: "merge" } : patch,
        word: "patched",
        unchanged: "patched (no change)",
      }),
    )
  },
})
