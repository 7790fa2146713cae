import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { refused } from "../../build/foreign-flag.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { PullProgress } from "../../output/pull-progress.ts"
import { REGISTRY_FLAGS, registryAccess } from "../../registry-flags.ts"

export default command({
  summary: "Pull an artifact from a registry",
  args: [arg.one("ARTIFACT")],
  flags: {
    ...REGISTRY_FLAGS,
    decryptionKey: refused("artifacts are not encrypted"),
    quiet: flag.bool("Suppress the progress", { short: "q" }),
  },
  failureCode: 125,
  async run({ args: [name], flags, engine, out }) {
    const artifacts = await engine.artifacts()
    using interrupt = new AbortOnInterrupt()
    using progress = new PullProgress({ fd: 2, quiet: flags.quiet })
    const { onProgress } = progress
    const options = { ...registryAccess(flags), onProgress, signal: interrupt.signal }
    const { digest } = await artifacts.pull(name, options)
    progress[Symbol.dispose]()
    out.line(digest.replace("sha256:", ""))
  },
})
