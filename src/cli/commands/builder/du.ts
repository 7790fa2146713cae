import { formatSize } from "../../../base/sizes.ts"
import { command } from "../../command.ts"
import { booleanFilter, parseFilters } from "../../filters.ts"
import { flag } from "../../flag.ts"
import { BUILDX_FLAGS } from "../../one-builder.ts"
import { cacheRow } from "../../../docker/cache-row.ts"
import { CACHE_FORMAT } from "../../output/cache-format.ts"
import { LIST_FORMAT_FLAGS } from "../../output/format-flags.ts"
import { printList } from "../../output/list.ts"

export default command({
  summary: "Show build cache usage",
  args: [],
  flags: {
    ...BUILDX_FLAGS,
    filter: flag.strings('Provide filter values (e.g. "type=exec.cachemount", "inuse=false")', "filter"),
    ...LIST_FORMAT_FLAGS,
    verbose: flag.bool("Show full descriptions"),
  },
  async run({ flags, engine, out }) {
    const { id: ids, type: types, inuse } = parseFilters(flags.filter, ["id", "inuse", "type"])
    const isInUse = booleanFilter(inuse, "inuse")
    const uses = (await (await engine.builds()).diskUsage()).filter(
      (use) =>
        (isInUse === undefined || use.inUse === isInUse) &&
        (types === undefined || types.includes(use.type)) &&
        (ids === undefined || ids.some((prefix) => use.id.replace(/^sha256:/, "").startsWith(prefix))),
    )
    const rows = uses.map((use) => cacheRow(use, new Date(), flags.verbose))
    printList(out, rows, flags, CACHE_FORMAT)
    if (flags.json || flags.format !== undefined) return
    const sum = (of: typeof uses) => formatSize(of.reduce((total, { sizeBytes }) => total + sizeBytes, 0))
    out.line(`Reclaimable:\t${sum(uses.filter(({ inUse }) => !inUse))}`)
    out.line(`Total:\t\t${sum(uses)}`)
  },
})
