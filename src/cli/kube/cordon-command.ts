import { at } from "../../kube/kube.ts"
import { arg } from "../args.ts"
import type { Command } from "../command.ts"
import { changeObjects, chosenObjects } from "./changed-objects.ts"
import { kubeCommand } from "./kube-command.ts"
import { DRY_RUN, PLACE_FLAGS, SELECT_FLAGS } from "./kube-flags.ts"
import { openClient } from "./open-client.ts"

/** `kube cordon`, `kube uncordon`. */
export function cordonCommand(verb: "cordon" | "uncordon", summary: string): Command {
  const closes = verb === "cordon"
  return kubeCommand({
    summary,
    args: [arg.rest("NODE")],
    flags: { ...PLACE_FLAGS, ...DRY_RUN, selector: SELECT_FLAGS.selector },
    async run({ args: [words], flags, engine, out }) {
      const client = await openClient(engine, flags)
      const request = { ...flags, filename: [], recursive: false }
      const chosen = await chosenObjects(client, ["nodes", ...words], request)
      await changeObjects(client, out, chosen, request, ({ object }) => {
        const isClosed = at(object, "spec", "unschedulable") === true
        if (isClosed === closes) return { patch: undefined, word: `already ${verb}ed` }
        const body = { spec: { unschedulable: closes ? true : null } }
        return { patch: { type: "merge", body }, word: `${verb}ed` }
      })
    },
  })
}
