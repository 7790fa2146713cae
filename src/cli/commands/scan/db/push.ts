import { AbortOnInterrupt } from "../../../abort-on-interrupt.ts"
import { arg } from "../../../args.ts"
import { command } from "../../../command.ts"
import { flag } from "../../../flag.ts"
import { PullProgress } from "../../../output/pull-progress.ts"
import { SIGN_FLAGS, signingOf } from "../../../push-flags.ts"
import { REGISTRY_FLAGS, registryAccess } from "../../../registry-flags.ts"
import { DATABASE_FILE_TYPE, DATABASE_TYPE } from "../../../scan/pull-database.ts"

export default command({
  summary: "Push the vulnerability database to a registry, for others to pull",
  args: [arg.one("ARTIFACT")],
  flags: { ...REGISTRY_FLAGS, quiet: flag.bool("Suppress the progress", { short: "q" }), ...SIGN_FLAGS },
  async run({ args: [name], flags, engine, out }) {
    const artifacts = await engine.artifacts()
    const { path, name: kind, updatedAt } = await (await (await engine.scans()).data()).info()
    const signing = await signingOf(flags)
    using interrupt = new AbortOnInterrupt()
    await artifacts.add(name, {
      files: [path],
      replace: true,
      ...(kind === "skiff-db" ? { type: DATABASE_TYPE, fileType: DATABASE_FILE_TYPE } : {}),
      annotations: updatedAt === undefined ? {} : { "org.opencontainers.image.created": updatedAt },
      signal: interrupt.signal,
    })
    using progress = new PullProgress({ fd: 2, quiet: flags.quiet })
    const { onProgress } = progress
    const digest = await artifacts.push(name, {
      ...registryAccess(flags),
      signing,
      onProgress,
      signal: interrupt.signal,
    })
    progress[Symbol.dispose]()
    if (!flags.quiet) out.line(digest)
  },
})
