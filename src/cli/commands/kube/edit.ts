import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import {
  apiVersionOf,
  kubeYaml,
  manifestDocument,
  isTree,
  strategicPatchOf,
  textAt,
  titleOf,
  withAt,
  type Tree,
} from "../../../kube/kube.ts"
import { FailedPrecondition, InvalidArgument } from "../../../base/errors.ts"
import { arg } from "../../args.ts"
import { chosenObjects } from "../../kube/changed-objects.ts"
import { kubeCommand } from "../../kube/kube-command.ts"
import { FILE_FLAGS, PLACE_FLAGS } from "../../kube/kube-flags.ts"
import { openClient } from "../../kube/open-client.ts"

const HEADER = `# Please edit the object below. Lines beginning with a '#' will be ignored,
# and an empty file will abort the edit. If an error occurs while saving this file will be
# reopened with the relevant failures.
#
`

export default kubeCommand({
  summary: "Edit a resource on the server",
  args: [arg.rest("(-f FILENAME | TYPE NAME)")],
  flags: { ...PLACE_FLAGS, ...FILE_FLAGS },
  async run({ args: [words], flags, engine, out }) {
    const client = await openClient(engine, flags)
    for (const { kind, object } of await chosenObjects(client, words, flags)) {
      const shown: Tree = {
        ...withAt(object, ["metadata", "managedFields"], undefined),
        apiVersion: apiVersionOf(kind),
        kind: kind.kind,
      }
      const title = titleOf(kind, textAt(object, "metadata", "name"))
      const text = edited(HEADER + kubeYaml(shown))
      const plain = text.replaceAll(/^#.*\n/gm, "")
      if (plain.trim() === "" || plain === kubeYaml(shown)) {
        out.note("Edit cancelled, no changes made.")
        continue
      }
      const wanted = manifestDocument(plain, "the edited object")
      if (!isTree(wanted)) throw new InvalidArgument("the edited object is no object")
      const patch = strategicPatchOf(kind, shown, wanted)
      if (patch === undefined) {
        out.note("Edit cancelled, no changes made.")
        continue
      }
      const namespace = textAt(object, "metadata", "namespace") || undefined
      await client.patch(kind, textAt(object, "metadata", "name"), namespace, patch, {
        fieldManager: "kubectl-edit",
        fieldValidation: "Strict",
      })
      out.line(`${title} edited`)
    }
  },
})

/** What the person makes of a text, in the editor that the environment names. */
function edited(text: string): string {
  const directory = mkdtempSync(join(tmpdir(), "skiff-edit-"))
  try {
    const file = join(directory, "object.yaml")
    writeFileSync(file, text, { mode: 0o600 })
    const editor = process.env.KUBE_EDITOR || process.env.EDITOR || "vi"
    const { status, error } = spawnSync("/bin/sh", ["-c", `${editor} "$1"`, "sh", file], { stdio: "inherit" })
    if (error || status !== 0)
      throw new FailedPrecondition(`there was a problem with the editor "${editor}"`, {
        hint: "set EDITOR",
        cause: error,
      })
    return readFileSync(file, "utf8")
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
