import { formatSize } from "../../../base/sizes.ts"
import { parseDuration } from "../../../spec/docker/duration.ts"
import { command } from "../../command.ts"
import { confirm } from "../../confirm.ts"
import { parseFilters } from "../../filters.ts"
import { flag } from "../../flag.ts"

export default command({
  summary: "Remove build cache",
  args: [],
  flags: {
    all: flag.bool("Remove all unused build cache, not just dangling ones", { short: "a" }),
    filter: flag.strings('Provide filter values (e.g. "until=24h")', "filter"),
    force: flag.bool("Do not prompt for confirmation", { short: "f" }),
    keepStorage: flag.size("Amount of disk space to keep for cache", {
      aliases: ["reserved-space", "max-used-space"],
    }),
  },
  async run({ flags, engine, out }) {
    const { until } = parseFilters(flags.filter, ["until"])
    const olderThanMs = until?.[0] === undefined ? undefined : parseDuration(until[0])
    const what = flags.all ? "all build cache" : "all dangling build cache"
    if (!flags.force && !(await confirm(`This will remove ${what}.`, out))) return 1
    const builds = await engine.builds()
    const { ids, reclaimedBytes } = await builds.prune({
      all: flags.all,
      ...(olderThanMs === undefined ? {} : { olderThanMs }),
      ...(flags.keepStorage === undefined ? {} : { keepBytes: flags.keepStorage }),
    })
    for (const id of ids) out.line(id)
    out.line(`Total:\t${formatSize(reclaimedBytes)}`)
    return 0
  },
})
