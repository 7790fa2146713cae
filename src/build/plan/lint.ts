/** Rules of our own, for `--check`. */
import { parseReference } from "../../image/image.ts"
import type { Dockerfile, InstructionOf } from "../../dockerfile/dockerfile.ts"
import { reachableFrom, type PlanScope, type StageState } from "./stage-state.ts"
import type { Stages } from "./stages.ts"
import { writtenSecrets } from "./written-secret.ts"

/** Adds what BuildKit's rules leave out: stages that nothing uses, apt's lists in a layer, root, bases that move. */
export function lintBuild({ stages: written }: Dockerfile, target: StageState, scope: PlanScope, stages: Stages): void {
  const { warnings } = scope
  const used = reachableFrom(target)
  for (const state of stages.all) {
    const { stage } = state
    if (stage === undefined) continue
    if (!used.has(state))
      warnings.add("UnusedStage", `Stage '${state.shownName}' is not used by the target`, stage.source, stage.comments)
    for (const { instruction } of state.steps)
      if (instruction.kind === "run" && keepsAptLists(instruction)) {
        const message = "apt-get leaves its package lists in the layer"
        warnings.add("AptListsKept", message, instruction.source, instruction.comments)
      }
    for (const { instruction } of state.steps)
      if (instruction.kind === "run")
        for (const id of writtenSecrets(instruction)) {
          const message = `RUN writes the secret '${id}' into the layer`
          warnings.add("SecretInLayer", message, instruction.source, instruction.comments)
        }
    if (state.parent === undefined && used.has(state) && isUnpinned(state.base)) {
      const message = `Base image '${state.base}' has no fixed version`
      warnings.add("UnpinnedBaseImage", message, stage.source, stage.comments)
    }
  }
  const user = target.image?.config.User?.split(":", 1)[0] ?? ""
  const head = target.stage ?? written.at(-1)
  if (/^(?:|0|root)$/.test(user) && head !== undefined && !target.unknownBase)
    warnings.add("RootUser", "The image runs its program as root", head.source, head.comments)
}

function keepsAptLists({ command, documents, mounts }: InstructionOf<"run">): boolean {
  const text = [...command.words, ...documents.map(({ content }) => content)].join(" ")
  if (!/\bapt(?:-get)?\s+(?:-\S+\s+)*update\b/.test(text)) return false
  return !text.includes("/var/lib/apt/lists") && !mounts.some((mount) => mount.includes("/var/lib/apt"))
}

function isUnpinned(base: string): boolean {
  if (base === "scratch") return false
  try {
    const { tag = "latest", digest } = parseReference(base)
    return digest === undefined && tag === "latest"
  } catch {
    return false
  }
}
