import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { InvalidArgument } from "../../../base/errors.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { PullProgress } from "../../output/pull-progress.ts"

export default command({
  summary: "Make a base image from packages of the distribution, without a registry",
  args: [arg.one("busybox[:TAG]|debian[:TAG]")],
  flags: {
    quiet: flag.bool("Suppress verbose output", { short: "q" }),
    tag: flag.strings("Name of the image", "list", { short: "t" }),
  },
  examples: [
    "skiff image bootstrap busybox",
    "skiff image bootstrap debian:12-slim",
    "skiff image bootstrap debian:trixie -t base",
  ],
  async run({ args: [what], flags, engine, out }) {
    const { base, tag } = parseBase(what)
    const images = await engine.images()
    using interrupt = new AbortOnInterrupt()
    using progress = new PullProgress({ fd: 2, quiet: flags.quiet })
    const { names } = await images.bootstrap({
      base,
      ...(tag === undefined ? {} : { tag }),
      ...(flags.tag.length > 0 ? { names: flags.tag } : {}),
      onProgress: progress.onProgress,
      signal: interrupt.signal,
    })
    progress[Symbol.dispose]()
    for (const name of names) out.line(name)
  },
})

function parseBase(text: string): { base: "busybox" | "debian"; tag?: string } {
  const [, base, tag] = /^([^:]*)(?::(.*))?$/.exec(text) ?? []
  if (base === "busybox" || base === "debian") return { base, ...(tag === undefined ? {} : { tag }) }
  throw new InvalidArgument(`unknown base image "${text}"`, {
    hint: { valid: ["busybox", "debian", "debian:12-slim", "debian:trixie-slim"] },
  })
}
