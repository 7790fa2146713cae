import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { PullProgress } from "../../output/pull-progress.ts"
import { REGISTRY_FLAGS, registryAccess } from "../../registry-flags.ts"

export default command({
  summary: "Download the files of a volume from a registry",
  args: [arg.one("NAME[:TAG|@DIGEST]"), arg.optional("VOLUME")],
  flags: {
    ...REGISTRY_FLAGS,
    force: flag.bool("Replace the files of a volume that has some, or is in use", { short: "f" }),
    quiet: flag.bool("Show no progress", { short: "q" }),
  },
  async run({ args: [from, name], flags, engine, out }) {
    const volumes = await engine.volumes()
    using interrupt = new AbortOnInterrupt()
    using progress = new PullProgress({ fd: 2, quiet: flags.quiet })
    const { onProgress } = progress
    const { force } = flags
    const options = { ...registryAccess(flags), force, onProgress, signal: interrupt.signal }
    const pulled = await volumes.pull(from, { ...options, ...(name === undefined ? {} : { name }) })
    progress[Symbol.dispose]()
    out.line(pulled.name)
  },
})
