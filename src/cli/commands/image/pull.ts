import { parseReference } from "../../../image/image.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { PullProgress } from "../../output/pull-progress.ts"
import { REGISTRY_FLAGS, registryAccess } from "../../registry-flags.ts"
import { parsePlatform } from "../../../spec/platform.ts"

export default command({
  summary: "Download an image from a registry",
  args: [arg.one("NAME[:TAG|@DIGEST]", "images")],
  flags: {
    ...REGISTRY_FLAGS,
    platform: flag.of(parsePlatform, "Set platform if the image is for many", "string"),
    quiet: flag.bool("Suppress verbose output", { short: "q" }),
  },
  examples: ["skiff pull debian:12-slim", "skiff pull --platform linux/arm64 alpine"],
  async run({ args: [name], flags, engine, out }) {
    const { tag, digest, repository } = parseReference(name)
    const heading = `${digest ?? tag ?? "latest"}: Pulling from ${repository}`
    const isUntagged = tag === undefined && digest === undefined
    const images = await engine.images()
    using interrupt = new AbortOnInterrupt()
    using progress = new PullProgress({
      fd: 1,
      quiet: flags.quiet,
      intro: isUntagged ? `Using default tag: latest\n${heading}` : heading,
    })
    const result = await images.pull(name, {
      ...registryAccess(flags),
      platform: flags.platform,
      onProgress: progress.onProgress,
      signal: interrupt.signal,
    })
    progress[Symbol.dispose]()
    if (!flags.quiet) {
      const familiar = result.name.replace(/^docker\.io\/(?:library\/)?/, "")
      out.line(`Digest: ${result.digest}`)
      out.line(`Status: ${result.changed ? "Downloaded newer image" : "Image is up to date"} for ${familiar}`)
    }
    out.line(result.name)
  },
})
