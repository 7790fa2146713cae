import { InvalidArgument } from "../../../base/errors.ts"
import type { ImportSource } from "../../../image/image.ts"
import { hostPlatform, parsePlatform, type Platform } from "../../../spec/platform.ts"
import { isTerminal } from "../../../sys/terminal/terminal.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import { PullProgress } from "../../output/pull-progress.ts"
import { standardInput } from "../../../sys/terminal/standard-input.ts"

export default command({
  summary: "Import the contents from a tarball to create a filesystem image",
  args: [arg.one("file|URL|-"), arg.optional("REPOSITORY[:TAG]")],
  flags: {
    arch: flag.string("Set the architecture of the image", "string"),
    change: flag.strings("Apply Dockerfile instruction to the created image", "list", { short: "c" }),
    message: flag.string("Set commit message for imported image", "string", { short: "m" }),
    os: flag.string("Set the operating system of the image", "string"),
    platform: flag.of(parsePlatform, "Set platform of the image (default that of this host)", "string"),
    quiet: flag.bool("Suppress verbose output", { short: "q" }),
    variant: flag.string("Set the variant of the architecture", "string"),
  },
  examples: [
    "skiff export web | skiff import -c 'CMD [\"sh\"]' - flat:1",
    "skiff import https://example.com/rootfs.tar.xz",
  ],
  async run({ args: [file, given], flags, engine, out, dialect }) {
    const name = given === undefined ? undefined : dialect.results.newName(given)
    const source = sourceOf(file)
    const { change, message } = flags
    const platform = platformOf(flags)
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

/** `--platform`, or its parts on top of this host's. Throws UsageError for both. */
function platformOf(flags: {
  platform: Platform | undefined
  os: string | undefined
  arch: string | undefined
  variant: string | undefined
}): Platform | undefined {
  const { platform, os, arch, variant } = flags
  if (os === undefined && arch === undefined && variant === undefined) return platform
  if (platform !== undefined) throw new UsageError("--platform cannot be used with --os, --arch or --variant")
  const host = hostPlatform()
  return parsePlatform([os ?? host.os, arch ?? host.architecture, variant].filter(Boolean).join("/"))
}

function sourceOf(file: string): ImportSource {
  if (/^https?:\/\//.test(file)) return { url: file }
  if (file !== "-") return { path: file }
  if (isTerminal(0))
    throw new InvalidArgument("standard input is a terminal, not an archive", {
      hint: "redirect one: skiff import - < rootfs.tar",
    })
  return { bytes: standardInput() }
}
