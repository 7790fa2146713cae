import { atomicWrite } from "../../../base/atomic-write.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { PullProgress } from "../../output/pull-progress.ts"
import { SIGN_FLAGS, signingOf } from "../../push-flags.ts"
import { REGISTRY_FLAGS, registryAccess } from "../../registry-flags.ts"

export default command({
  summary: "Push an artifact to the registry that its name says",
  args: [arg.one("ARTIFACT")],
  flags: {
    ...REGISTRY_FLAGS,
    digestfile: flag.string("Write the digest of the pushed artifact to the file", "string"),
    quiet: flag.bool("Suppress the progress", { short: "q" }),
    ...SIGN_FLAGS,
  },
  failureCode: 125,
  async run({ args: [name], flags, engine, out }) {
    const artifacts = await engine.artifacts()
    const signing = await signingOf(flags)
    using interrupt = new AbortOnInterrupt()
    using progress = new PullProgress({ fd: 2, quiet: flags.quiet })
    const { onProgress } = progress
    const options = { ...registryAccess(flags), signing, onProgress, signal: interrupt.signal }
    const digest = await artifacts.push(name, options)
    progress[Symbol.dispose]()
    if (flags.digestfile !== undefined) atomicWrite(flags.digestfile, digest, { mode: 0o644 })
    if (!flags.quiet) out.line(digest)
  },
})
