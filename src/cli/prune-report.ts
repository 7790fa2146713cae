import { formatSize } from "../base/sizes.ts"
import type { PruneReport } from "../engine/engine.ts"
import type { Context } from "./command.ts"

/** What a prune removed, as docker tells it; gives the exit code. Of a dry run: what it would remove. */
export function printPruneReport(
  { out, report: tell }: Pick<Context<[], Record<never, never>>, "out" | "report">,
  report: PruneReport,
  { dryRun = false, namesOnly = false }: { dryRun?: boolean; namesOnly?: boolean } = {},
): number {
  const { pods, containers, networks, volumes, images, cache, reclaimedBytes, failures } = report
  const sections: [string, string[]][] = [
    ["Pods", pods],
    ["Containers", containers],
    ["Networks", networks],
    ["Volumes", volumes],
    [
      "Images",
      namesOnly
        ? images.deleted.map((digest) => digest.replace("sha256:", ""))
        : [...images.untagged.map((name) => `untagged: ${name}`), ...images.deleted.map((name) => `deleted: ${name}`)],
    ],
    ["build cache objects", cache],
  ]
  if (namesOnly) for (const line of sections.flatMap(([, lines]) => lines)) out.line(line)
  for (const [title, lines] of namesOnly ? [] : sections)
    if (lines.length > 0) out.line(`${dryRun ? "Would delete" : "Deleted"} ${title}:\n${lines.join("\n")}\n`)
  if (!namesOnly)
    out.line(`${dryRun ? "Total reclaimable space" : "Total reclaimed space"}: ${formatSize(reclaimedBytes)}`)
  for (const failure of failures) tell(failure)
  return failures.length > 0 ? 1 : 0
}
