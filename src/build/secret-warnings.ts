import type { Dockerfile } from "../dockerfile/dockerfile.ts"
import type { BuildWarning } from "./build.ts"
import type { Vertex } from "./plan/definition.ts"
import { Warnings } from "./plan/warnings.ts"
import type { FoundSecret } from "./solve/secret-scan.ts"

/** What to tell of secrets in the layer of a RUN, silenced by the same comments as what its text alone shows. */
export function secretWarnings(
  warnings: Warnings,
  dockerfile: Dockerfile,
  { source }: Pick<Vertex, "source">,
  found: readonly FoundSecret[],
): readonly BuildWarning[] {
  if (source === undefined) return []
  const before = warnings.found.length
  const instructions = dockerfile.stages.flatMap((stage) => stage.instructions)
  const comments = instructions.find((one) => one.source === source)?.comments
  for (const { id, file } of found) {
    const where = file === undefined ? "the layer of this RUN" : `${file}, in the layer of this RUN`
    warnings.add("SecretInLayer", `The secret '${id}' is in ${where}`, source, comments)
  }
  return warnings.found.slice(before)
}
