import { AbortOnInterrupt } from "../../../abort-on-interrupt.ts"
import { arg } from "../../../args.ts"
import { command } from "../../../command.ts"
import { flag } from "../../../flag.ts"
import { PullProgress } from "../../../output/pull-progress.ts"
import { REGISTRY_FLAGS, registryAccess } from "../../../registry-flags.ts"
import { writeDatabaseInfo } from "../../../scan/database-info.ts"
import { DEFAULT_DATABASE, pullDatabase } from "../../../scan/pull-database.ts"

export default command({
  summary: "Get a newer vulnerability database from a registry",
  args: [arg.optional("ARTIFACT")],
  flags: { ...REGISTRY_FLAGS, quiet: flag.bool("Suppress the progress", { short: "q" }) },
  async run({ args: [name = DEFAULT_DATABASE], flags, engine, out }) {
    const [artifacts, scans] = [await engine.artifacts(), await engine.scans()]
    using interrupt = new AbortOnInterrupt()
    using progress = new PullProgress({ fd: 2, quiet: flags.quiet })
    const { onProgress } = progress
    const options = { ...registryAccess(flags), onProgress, signal: interrupt.signal }
    const info = await pullDatabase({ artifacts, scans }, name, options)
    progress[Symbol.dispose]()
    if (!flags.quiet) writeDatabaseInfo(out, info)
  },
})
