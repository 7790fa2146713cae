import { InvalidArgument } from "../../../base/errors.ts"
import type { PruneKind } from "../../../engine/engine.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { command } from "../../command.ts"
import { confirm } from "../../confirm.ts"
import { flag } from "../../flag.ts"
import { dryRunFlag, pruneFilter, pruneFilterFlag, unusedForMs } from "../../prune-filter.ts"
import { printPruneReport } from "../../prune-report.ts"

export default command({
  summary: "Remove unused data",
  args: [],
  flags: {
    all: flag.bool("Remove all unused images not just dangling ones", { short: "a" }),
    build: flag.bool("Remove what killed builds left, too, and build cache whatever the filter"),
    dryRun: dryRunFlag,
    external: flag.bool("Remove what killed commands left, and nothing else"),
    filter: pruneFilterFlag,
    force: flag.bool("Do not prompt for confirmation", { short: "f" }),
    volumes: flag.bool("Prune anonymous volumes"),
  },
  async run({ flags, engine, ...context }) {
    const { all, dryRun, external } = flags
    if (external && (all || flags.volumes || flags.build || flags.filter.length > 0))
      throw new InvalidArgument("--external stands alone", { hint: "leave the other flags away" })
    const isAsked = pruneFilter(flags.filter, ["until", "label", "label!"])
    const kinds = external ? [] : kindsOf(flags)
    if (!flags.force && !dryRun && !(await confirm(warning(kinds, all), context.out))) return 1
    using interrupt = new AbortOnInterrupt()
    if (external && !dryRun) await engine.maintain({ signal: interrupt.signal })
    const report = await engine.prune({
      kinds: external ? ["images"] : kinds,
      all: all && !external,
      ...(flags.filter.length > 0 && { isAsked }),
      // images are not asked for: what is left is what nobody refers to
      ...(external && { isAsked: () => false }),
      unusedForMs: unusedForMs(flags.filter),
      dryRun,
      signal: interrupt.signal,
    })
    return printPruneReport(context, report, { dryRun })
  },
})

/** Docker's order; cache has no labels, and stays where they are asked for. */
function kindsOf({
  volumes,
  build,
  filter,
}: {
  volumes: boolean
  build: boolean
  filter: readonly string[]
}): PruneKind[] {
  const hasLabels = filter.some((one) => one.startsWith("label"))
  const isDated = filter.some((one) => one.startsWith("until="))
  if (volumes && isDated)
    throw new InvalidArgument("the filter until is of no use for volumes: they have no time of their own", {
      hint: "leave one of the two away",
    })
  return [
    "pods",
    "containers",
    "networks",
    ...(volumes ? (["volumes"] as const) : []),
    "images",
    ...(hasLabels && !build ? [] : (["cache"] as const)),
  ]
}

function warning(kinds: readonly PruneKind[], all: boolean): string {
  if (kinds.length === 0) return "This will remove what killed commands left."
  const lines: Readonly<Record<PruneKind, string>> = {
    pods: "all pods that have ended, with their containers",
    containers: "all stopped containers",
    networks: "all networks not used by at least one container",
    volumes: "all anonymous volumes not used by at least one container",
    images: all ? "all images without at least one container associated to them" : "all dangling images",
    cache: all ? "all build cache" : "unused build cache",
  }
  return `This will remove:\n${kinds.map((kind) => `  - ${lines[kind]}`).join("\n")}\n`
}
