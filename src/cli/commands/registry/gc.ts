import { statSync } from "node:fs"
import { resolve } from "node:path"
import { formatSize } from "../../../base/sizes.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { command } from "../../command.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import { dryRunFlag } from "../../prune-filter.ts"
import { DEFAULT_GRACE_MS } from "../../registry/grace.ts"

export default command({
  summary: "Remove what a registry's directory does not need",
  description: "Servers of the directory may go on: what a push that is under way has seen stays.",
  args: [],
  flags: {
    dryRun: dryRunFlag,
    grace: flag.duration("Leave what was asked for within this time (default 1h)"),
    storage: flag.string("The directory of the registry", "dir"),
    untagged: flag.bool("Remove manifests to which no tag, index or subject leads, too"),
  },
  async run({ flags, engine, out }) {
    const { dryRun, untagged } = flags
    await using store = await engine.registryStore(existing(flags.storage))
    using interrupt = new AbortOnInterrupt()
    const { signal } = interrupt
    const removed = await store.collect?.({ graceMs: flags.grace ?? DEFAULT_GRACE_MS, untagged, dryRun, signal })
    if (removed === undefined) return
    for (const kind of ["manifests", "links", "blobs", "uploads"] as const) out.line(`${kind}: ${removed[kind]}`)
    out.line(`${dryRun ? "Reclaimable" : "Total reclaimed"} space: ${formatSize(removed.bytes)}`)
  },
})

/** To look for garbage makes no registry. Throws UsageError. */
function existing(storage: string | undefined): string {
  if (storage === undefined) throw new UsageError("--storage is needed: the directory of the registry")
  const directory = resolve(storage)
  if (statSync(resolve(directory, "repositories"), { throwIfNoEntry: false })?.isDirectory()) return directory
  throw new UsageError(`"${directory}" is no directory of a registry`)
}
