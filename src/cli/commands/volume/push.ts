import { UsageError } from "../../errors/usage-error.ts"
import { formatSize } from "../../../base/sizes.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { PullProgress } from "../../output/pull-progress.ts"
import { REGISTRY_FLAGS, registryAccess } from "../../registry-flags.ts"

export default command({
  summary: "Upload the files of a volume to a registry",
  args: [arg.one("VOLUME", "volumes"), arg.one("NAME[:TAG]")],
  flags: {
    ...REGISTRY_FLAGS,
    pause: flag.bool("Pause the containers that use the volume while it is copied"),
    quiet: flag.bool("Print the digest alone", { short: "q" }),
    snapshot: flag.string("Upload a snapshot, instead of the files as they are now", "SNAPSHOT"),
  },
  async run({ args: [volume, to], flags, engine, out }) {
    const { pause: freeze, quiet, snapshot } = flags
    if (freeze && snapshot !== undefined) throw new UsageError("--pause and --snapshot cannot both be set")
    const volumes = await engine.volumes()
    using interrupt = new AbortOnInterrupt()
    using progress = new PullProgress({ fd: 2, quiet })
    const { onProgress } = progress
    const options = { ...registryAccess(flags), freeze, snapshot, onProgress, signal: interrupt.signal }
    const pushed = await volumes.push(volume, to, options)
    progress[Symbol.dispose]()
    const { reference, digest, parts, sentParts, sentBytes } = pushed
    out.line(quiet ? digest : `${reference}: ${sentParts} of ${parts} parts sent (${formatSize(sentBytes)}), ${digest}`)
  },
})
