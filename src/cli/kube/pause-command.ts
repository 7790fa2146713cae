import { at, resourceKey, textAt } from "../../kube/kube.ts"
import { FailedPrecondition, InvalidArgument } from "../../base/errors.ts"
import { arg } from "../args.ts"
import type { Command } from "../command.ts"
import { changeObjects, chosenObjects } from "./changed-objects.ts"
import { kubeCommand } from "./kube-command.ts"
import { FILE_FLAGS, OUTPUT_FLAGS, PLACE_FLAGS, SELECT_FLAGS } from "./kube-flags.ts"
import { openClient } from "./open-client.ts"

/** `kube rollout pause`, `kube rollout resume`. */
export function pauseCommand(verb: "pause" | "resume", summary: string): Command {
  const pauses = verb === "pause"
  return kubeCommand({
    summary,
    args: [arg.rest("(TYPE NAME | TYPE/NAME)")],
    flags: { ...PLACE_FLAGS, ...FILE_FLAGS, ...OUTPUT_FLAGS, selector: SELECT_FLAGS.selector },
    async run({ args: [words], flags, engine, out }) {
      const client = await openClient(engine, flags)
      const chosen = await chosenObjects(client, words, { ...flags, all: words.length === 1 })
      await changeObjects(client, out, chosen, { ...flags, fieldManager: "kubectl-rollout" }, ({ kind, object }) => {
        if (kind.plural !== "deployments") throw new InvalidArgument(`${verb} is not supported for ${kind.kind}`)
        if ((at(object, "spec", "paused") === true) === pauses)
          throw new FailedPrecondition(
            `${resourceKey(kind)} "${textAt(object, "metadata", "name")}" is ${pauses ? "already" : "not"} paused`,
          )
        const body = { spec: { paused: pauses ? true : null } }
        return { patch: { type: "merge", body }, word: pauses ? "paused" : "resumed" }
      })
    },
  })
}
