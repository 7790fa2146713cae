import { dryRunFlag } from "../../prune-filter.ts"
import { printPruneReport } from "../../prune-report.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { formatSize } from "../../../base/sizes.ts"
import { parseDuration } from "../../../spec/docker/duration.ts"
import { command } from "../../command.ts"
import { confirm } from "../../confirm.ts"
import { parseFilters } from "../../filters.ts"
import { flag } from "../../flag.ts"
import { BUILDX_FLAGS } from "../../one-builder.ts"
import { cacheRow } from "../../../docker/cache-row.ts"
import { CACHE_FORMAT } from "../../output/cache-format.ts"
import { printList } from "../../output/list.ts"

export default command({
  summary: "Remove build cache",
  args: [],
  flags: {
    all: flag.bool("Remove all unused build cache, not just dangling ones", { short: "a" }),
    ...BUILDX_FLAGS,
    dryRun: dryRunFlag,
    filter: flag.strings('Provide filter values (e.g. "until=24h")', "filter"),
    force: flag.bool("Do not prompt for confirmation", { short: "f" }),
    maxUsedSpace: flag.size("Maximum amount of disk space allowed to keep for cache"),
    minFreeSpace: flag.size("Target amount of free disk space after pruning"),
    reservedSpace: flag.size("Amount of disk space always allowed to keep for cache", { aliases: ["keep-storage"] }),
    verbose: flag.bool("Provide a more verbose output"),
  },
  async run({ flags, engine, out, report: tell }) {
    const { until } = parseFilters(flags.filter, ["until"])
    const olderThanMs = until?.[0] === undefined ? undefined : parseDuration(until[0])
    const what = flags.all ? "all build cache" : "all dangling build cache"
    if (flags.dryRun) {
      refuseSpace(flags)
      const report = await engine.prune({ kinds: ["cache"], all: flags.all, unusedForMs: olderThanMs, dryRun: true })
      return printPruneReport({ out, report: tell }, report, { dryRun: true })
    }
    if (!flags.force && !(await confirm(`This will remove ${what}.`, out))) return 1
    const builds = await engine.builds()
    const before = flags.verbose ? await builds.diskUsage() : []
    const { ids, reclaimedBytes } = await builds.prune({
      all: flags.all,
      ...(olderThanMs === undefined ? {} : { olderThanMs }),
      maxUsedBytes: flags.maxUsedSpace,
      minFreeBytes: flags.minFreeSpace,
      reservedBytes: flags.reservedSpace,
    })
    if (flags.verbose) {
      const removed = before.filter(({ id }) => ids.includes(id))
      printList(
        out,
        removed.map((use) => cacheRow(use, new Date(), true)),
        {},
        CACHE_FORMAT,
      )
    } else for (const id of ids) out.line(id)
    out.line(`Total:\t${formatSize(reclaimedBytes)}`)
    return 0
  },
})

/** What goes to make room is chosen as it goes. Throws UsageError. */
function refuseSpace({ maxUsedSpace, minFreeSpace, reservedSpace }: Readonly<Record<string, unknown>>): void {
  if ([maxUsedSpace, minFreeSpace, reservedSpace].some((one) => one !== undefined))
    throw new UsageError("--dry-run cannot tell what would make room", {
      hint: "leave --max-used-space, --min-free-space and --reserved-space away",
    })
}
