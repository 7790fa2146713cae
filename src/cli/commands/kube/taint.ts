import { listAt, textAt } from "../../../kube/kube.ts"
import { FailedPrecondition, NotFound } from "../../../base/errors.ts"
import { arg } from "../../args.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import { changeObjects, chosenObjects } from "../../kube/changed-objects.ts"
import { kubeCommand } from "../../kube/kube-command.ts"
import { DRY_RUN, OUTPUT_FLAGS, PLACE_FLAGS, SELECT_FLAGS } from "../../kube/kube-flags.ts"
import { openClient } from "../../kube/open-client.ts"

const EFFECTS = new Set(["NoSchedule", "PreferNoSchedule", "NoExecute"])

export default kubeCommand({
  summary: "Update the taints on one or more nodes",
  args: [arg.rest("NODE NAME KEY_1=VAL_1:TAINT_EFFECT_1 ... KEY_N:TAINT_EFFECT_N-")],
  flags: {
    ...PLACE_FLAGS,
    ...DRY_RUN,
    ...OUTPUT_FLAGS,
    selector: SELECT_FLAGS.selector,
    all: flag.bool("Select all nodes in the cluster"),
    overwrite: flag.bool(
      "If true, allow taints to be overwritten, otherwise reject updates that overwrite existing ones",
    ),
  },
  async run({ args: [all], flags, engine, out }) {
    const changes = all.flatMap((word) => readTaint(word) ?? [])
    const words = all.filter((word) => readTaint(word) === undefined)
    if (changes.length === 0) throw new UsageError("at least one taint update is required")
    const client = await openClient(engine, flags)
    const request = { ...flags, filename: [], recursive: false, fieldManager: "kubectl-taint" }
    const chosen = await chosenObjects(client, words, request)
    await changeObjects(client, out, chosen, request, ({ kind, object }) => {
      if (kind.plural !== "nodes") throw new UsageError("invalid resource type: only node(s) is supported")
      let taints = listAt(object, "spec", "taints")
      for (const change of changes) {
        const isMeant = (one: unknown): boolean =>
          textAt(one, "key") === change.key && (change.effect === undefined || textAt(one, "effect") === change.effect)
        const isThere = taints.some(isMeant)
        if (change.isTaken && !isThere)
          throw new NotFound(`taint "${change.key}${change.effect === undefined ? "" : `:${change.effect}`}" not found`)
        if (!change.isTaken && isThere && !flags.overwrite)
          throw new FailedPrecondition(
            `node ${textAt(object, "metadata", "name")} already has ${change.key} taint(s) with same effect(s) and --overwrite is false`,
          )
        taints = taints.filter((one) => !isMeant(one))
        const { key, value, effect } = change
        if (!change.isTaken) taints = [...taints, { key, ...(value !== "" && { value }), effect }]
      }
      const body = { spec: { taints: taints.length === 0 ? null : taints } }
      return { patch: { type: "merge", body }, word: changes.every(({ isTaken }) => isTaken) ? "untainted" : "tainted" }
    })
  },
})

interface TaintChange {
  key: string
  value: string
  effect: string | undefined
  isTaken: boolean
}

/** `key=value:NoSchedule`, `key:NoSchedule-`, `key-`; undefined for what is no taint. */
function readTaint(word: string): TaintChange | undefined {
  const [, key, value = "", effect, minus] = /^([^=:]+?)(?:=([^:]*))?(?::([A-Za-z]+))?(-)?$/.exec(word) ?? []
  const isTaken = minus !== undefined
  if (key === undefined || (effect === undefined && !isTaken)) return undefined
  if (effect !== undefined && !EFFECTS.has(effect))
    throw new UsageError(`invalid taint effect: ${effect}, unsupported taint effect`)
  return { key, value, effect, isTaken }
}
