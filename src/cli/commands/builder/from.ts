import { writeFileSync } from "node:fs"
import { parsePlatform } from "../../../spec/platform.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { BUILD_FLAGS } from "../../build/flags.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { REGISTRY_FLAGS, registryAccess } from "../../registry-flags.ts"
import { PullProgress } from "../../output/pull-progress.ts"

export default command({
  summary: "Create a working container based on an image",
  args: [arg.one("IMAGE", "images")],
  flags: {
    ...REGISTRY_FLAGS,
    cidfile: flag.string("Write the container ID to the file"),
    name: flag.string("Name of the working container"),
    platform: flag.of(parsePlatform, "Set platform if the image is for many", "string"),
    pull: BUILD_FLAGS.pull,
    quiet: flag.bool("Suppress the pull output", { short: "q" }),
  },
  examples: ["c=$(skiff builder from debian:12-slim)", "skiff builder from --name empty scratch"],
  async run({ args: [image], flags, engine, out }) {
    const { name, platform, pull = "missing" } = flags
    using interrupt = new AbortOnInterrupt()
    using progress = new PullProgress({ fd: 2, quiet: flags.quiet || !out.stderrIsTerminal })
    const working = await engine.workingContainers()
    const made = await working.from(image, {
      pull,
      onProgress: progress.onProgress,
      signal: interrupt.signal,
      ...(name === undefined ? {} : { name }),
      ...(platform === undefined ? {} : { platform }),
      access: registryAccess(flags),
    })
    progress[Symbol.dispose]()
    if (flags.cidfile !== undefined) writeFileSync(flags.cidfile, made.id)
    out.line(made.name)
  },
})
