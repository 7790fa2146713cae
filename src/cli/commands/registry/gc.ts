import { statSync } from "node:fs"
import { resolve } from "node:path"
import { formatSize } from "../../../base/sizes.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { command } from "../../command.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import { dryRunFlag } from "../../prune-filter.ts"
import { bucketAddress, readBucket } from "../../registry/bucket-address.ts"
import { DEFAULT_GRACE_MS } from "../../registry/grace.ts"

export default command({
  summary: "Remove what a registry's directory or bucket does not need",
  description: "Servers of it may go on: what a push that is under way has seen stays.",
  args: [],
  flags: {
    bucket: flag.of(readBucket, "The S3 bucket that has what was pushed", "url"),
    dryRun: dryRunFlag,
    grace: flag.duration("Leave what was asked for within this time (default 1h)"),
    storage: flag.string("The directory of the registry", "dir"),
    untagged: flag.bool("Remove manifests to which no tag, index or subject leads, too"),
  },
  async run({ flags, engine, out }) {
    const { bucket, dryRun, untagged } = flags
    const behind = bucket && { bucket: bucketAddress(bucket) }
    await using store = await engine.registryStore(existing(flags.storage), behind)
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
