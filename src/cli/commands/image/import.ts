import { InvalidArgument } from "../../../base/errors.ts"
import type { ImportSource } from "../../../image/image.ts"
import { parsePlatform } from "../../../spec/platform.ts"
import { isTerminal } from "../../../sys/terminal/terminal.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { PullProgress } from "../../output/pull-progress.ts"
import { standardInput } from "../../terminal/standard-input.ts"

export default command({
  summary: "Import the contents from a tarball to create a filesystem image",
  args: [arg.one("file|URL|-"), arg.optional("REPOSITORY[:TAG]")],
  flags: {
    change: flag.strings("Apply Dockerfile instruction to the created image", "list", { short: "c" }),
    message: flag.string("Set commit message for imported image", "string", { short: "m" }),
    platform: flag.of(parsePlatform, "Set platform of the image (default that of this host)", "string"),
    quiet: flag.bool("Suppress verbose output", { short: "q" }),
  },
  examples: [
    "skiff export web | skiff import -c 'CMD [\"sh\"]' - flat:1",
    "skiff import https://example.com/rootfs.tar.xz",
  ],
  async run({ args: [file, name], flags, engine, out }) {
    const source = sourceOf(file)
    const { change, message, platform } = flags
    const config = change.length === 0 ? {} : await (await engine.builds()).applyChanges({}, change)
    const images = await engine.images()
    using interrupt = new AbortOnInterrupt()
    using progress = new PullProgress({ fd: 2, quiet: flags.quiet || !out.stderrIsTerminal })
    const { onProgress } = progress
    const { signal } = interrupt
    const { id } = await images.import(source, { name, platform, config, message, onProgress, signal })
    progress[Symbol.dispose]()
    out.line(id)
  },
})

function sourceOf(file: string): ImportSource {
  if (/^https?:\/\//.test(file)) return { url: file }
  if (file !== "-") return { path: file }
  if (isTerminal(0))
    throw new InvalidArgument("standard input is a terminal, not an archive", {
      hint: "redirect one: skiff import - < rootfs.tar",
    })
  return { bytes: standardInput() }
}
