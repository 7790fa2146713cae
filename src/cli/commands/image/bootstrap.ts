import { InvalidArgument } from "../../../base/errors.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { PullProgress } from "../../output/pull-progress.ts"

export default command({
  summary: "Make a base image from packages of the distribution, without a registry",
  args: [arg.one("busybox|debian[:SUITE]")],
  flags: {
    quiet: flag.bool("Suppress verbose output", { short: "q" }),
    tag: flag.strings("Name of the image", "list", { short: "t" }),
  },
  examples: ["skiff image bootstrap busybox", "skiff image bootstrap debian:bookworm -t base"],
  async run({ args: [what], flags, engine, out }) {
    const { base, suite } = parseBase(what)
    const images = await engine.images()
    using progress = new PullProgress({ fd: 2, quiet: flags.quiet })
    const { names } = await images.bootstrap({
      base,
      ...(suite === undefined ? {} : { suite }),
      ...(flags.tag.length > 0 ? { names: flags.tag } : {}),
      onProgress: progress.onProgress,
    })
    progress[Symbol.dispose]()
    for (const name of names) out.line(name)
  },
})

function parseBase(text: string): { base: "busybox" | "debian"; suite?: string } {
  const [base, suite] = text.split(":")
  if (base === "busybox" && suite === undefined) return { base }
  if (base === "debian") return suite === undefined ? { base } : { base, suite }
  throw new InvalidArgument(`unknown base "${text}"`, { hint: "valid: busybox, debian, debian:SUITE" })
}
