import { at, isTree, listAt, textAt } from "../../kube/kube.ts"
import { arg } from "../args.ts"
import type { Command } from "../command.ts"
import { UsageError } from "../errors/usage-error.ts"
import { changeObjects, chosenObjects } from "./changed-objects.ts"
import { kubeCommand } from "./kube-command.ts"
import { FILE_FLAGS, PLACE_FLAGS } from "./kube-flags.ts"
import { openClient } from "./open-client.ts"

const WORDS = {
  approve: { type: "Approved", other: "Denied", done: "approved", reason: "KubectlApprove" },
  deny: { type: "Denied", other: "Approved", done: "denied", reason: "KubectlDeny" },
} as const

/** `kube certificate approve`, `kube certificate deny`. */
export function certificateCommand(verb: "approve" | "deny", summary: string): Command {
  const { type, other, done, reason } = WORDS[verb]
  return kubeCommand({
    summary,
    args: [arg.rest("CSRNAME")],
    flags: { ...PLACE_FLAGS, ...FILE_FLAGS },
    async run({ args: [names], flags, engine, out }) {
      const client = await openClient(engine, flags)
      const words = names.length > 0 ? ["certificatesigningrequests", ...names] : []
      const chosen = await chosenObjects(client, words, flags)
      await changeObjects(client, out, chosen, flags, ({ object }) => {
        const conditions = listAt(object, "status", "conditions").filter(isTree)
        const types = new Set(conditions.map((one) => textAt(one, "type")))
        if (types.has(other))
          throw new UsageError(
            `certificate signing request "${textAt(object, "metadata", "name")}" is already ${other}`,
          )
        if (types.has(type) && (type === "Denied" || at(object, "status", "certificate") !== undefined))
          return { patch: undefined, word: done }
        const message = `This CSR was ${done} by kubectl certificate ${verb}.`
        const own = types.has(type) ? [] : [{ type, status: "True", reason, message }]
        return {
          patch: { type: "merge", part: "approval", body: { status: { conditions: [...conditions, ...own] } } },
          word: done,
        }
      })
    },
  })
}
