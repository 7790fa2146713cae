import { textsAt } from "../../kube/kube.ts"
import { FailedPrecondition } from "../../base/errors.ts"
import { arg } from "../args.ts"
import type { Command } from "../command.ts"
import { flag } from "../flag.ts"
import { changeObjects, chosenObjects } from "./changed-objects.ts"
import { readKeyChanges } from "./key-values.ts"
import { kubeCommand } from "./kube-command.ts"
import {
  ALL_NAMESPACES,
  ALL_OF_KINDS,
  DRY_RUN,
  FIELD_MANAGER,
  FILE_FLAGS,
  OUTPUT_FLAGS,
  PLACE_FLAGS,
  SELECT_FLAGS,
} from "./kube-flags.ts"
import { openClient } from "./open-client.ts"

/** What is changed key by key. */
interface KeyedPart {
  noun: "annotation" | "label"
  /** Of metadata. */
  field: "annotations" | "labels"
  /** Of what was changed, and what had all its keys taken away. */
  words: { set: string; taken: string; left: string }
}

/** `kube label`, `kube annotate`. */
export function keyChangeCommand({ noun, field, words: told }: KeyedPart): Command {
  return kubeCommand({
    summary: `Update the ${field} on a resource`,
    args: [arg.rest("(-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N-")],
    flags: {
      ...PLACE_FLAGS,
      allNamespaces: ALL_NAMESPACES,
      ...FILE_FLAGS,
      ...DRY_RUN,
      ...OUTPUT_FLAGS,
      ...SELECT_FLAGS,
      ...ALL_OF_KINDS,
      overwrite: flag.bool(
        `If true, allow ${field} to be overwritten, otherwise reject updates that overwrite existing ones`,
      ),
      list: flag.bool(`If true, display the ${field} for a given resource`),
      ...FIELD_MANAGER,
    },
    async run({ args: [all], flags, engine, out }) {
      const client = await openClient(engine, flags)
      const { words, changes } = flags.list
        ? { words: all, changes: new Map<string, string | null>() }
        : readKeyChanges(all, noun)
      const chosen = await chosenObjects(client, words, flags)
      if (flags.list) {
        for (const { object } of chosen)
          for (const [key, value] of Object.entries(textsAt(object, "metadata", field))) out.line(`${key}=${value}`)
        return
      }
      await changeObjects(
        client,
        out,
        chosen,
        { ...flags, fieldManager: flags.fieldManager ?? `kubectl-${noun === "label" ? noun : "annotate"}` },
        ({ object }) => {
          const before = textsAt(object, "metadata", field)
          for (const [key, value] of changes)
            if (!flags.overwrite && value !== null && before[key] !== undefined && before[key] !== value)
              throw new FailedPrecondition(`'${key}' already has a value (${before[key]}), and --overwrite is false`)
          const real = [...changes].filter(([key, value]) => (before[key] ?? null) !== value)
          if (real.length === 0) return { patch: undefined, word: told.left }
          const isTaking = real.every(([, value]) => value === null)
          const body = { metadata: { [field]: Object.fromEntries(real) } }
          return { patch: { type: "merge", body }, word: isTaking ? told.taken : told.set }
        },
      )
    },
  })
}
