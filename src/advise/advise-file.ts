import type { CheckedFile } from "../scan/scan.ts"
import type { Advice, Edit } from "./advice.ts"
import { dockerfileEdits } from "./dockerfile-edits.ts"
import { yamlEdits } from "./yaml-edits.ts"

/** What a Dockerfile, compose file or file of Kubernetes' breaks, worst first; the number is how often. */
export function adviseFile({ found }: CheckedFile): Advice[] {
  const counts = new Map<string, number>()
  for (const { id } of found) counts.set(id, (counts.get(id) ?? 0) + 1)
  return found.map(({ id, title, message, resolution, place }) => ({
    id,
    title,
    message: `${message}: ${resolution}`,
    measured: { value: counts.get(id) ?? 1, unit: "places" },
    ...(place.startLine === undefined ? {} : { line: place.startLine }),
  }))
}

/** What of it can be mended without knowing more than the file. */
export function editsOf(text: string, checked: CheckedFile): Edit[] {
  return checked.types.includes("dockerfile") ? dockerfileEdits(text) : yamlEdits(text, checked.found)
}
