import { writeFileSync } from "node:fs"
import { hostPlatform, parsePlatform, type Platform } from "../../../spec/platform.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { BUILD_FLAGS } from "../../build/flags.ts"
import { refused } from "../../build/foreign-flag.ts"
import { RUN_FLAGS, runDefaults } from "../../build/run-flags.ts"
import { sourceImage } from "../../build/source-image.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { PullProgress } from "../../output/pull-progress.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { REGISTRY_FLAGS, registryAccess } from "../../registry-flags.ts"

export default command({
  summary: "Create a working container based on an image",
  description: `IMAGE is a name, or a transport and a path: docker://NAME, oci:DIRECTORY[:TAG], oci-archive:FILE, docker-archive:FILE, dir:DIRECTORY.
Flags for running programs (--volume, --network, --memory …) apply to each 'builder run' of it.`,
  args: [arg.one("IMAGE", "images")],
  flags: {
    ...REGISTRY_FLAGS,
    ...RUN_FLAGS,
    arch: BUILD_FLAGS.arch,
    cidfile: flag.string("Write the container ID to the file"),
    decryptionKey: refused("images are decrypted as they are pulled", "skiff pull --decryption-key KEY IMAGE first"),
    format: flag.choice(["oci", "docker"], "Format of the images that are committed from it", { short: "f" }),
    name: flag.string("Name of the working container"),
    os: BUILD_FLAGS.os,
    platform: flag.of(parsePlatform, "Set the platform of a multi-platform image", "string"),
    pull: BUILD_FLAGS.pull,
    pullAlways: BUILD_FLAGS.pullAlways,
    pullNever: BUILD_FLAGS.pullNever,
    quiet: flag.bool("Suppress the pull output", { short: "q" }),
    signaturePolicy: refused("policies are read from the host's policy.json alone"),
    variant: BUILD_FLAGS.variant,
  },
  examples: [
    "c=$(skiff builder from debian:12-slim)",
    "skiff builder from --name empty scratch",
    "skiff builder from oci-archive:base.tar",
  ],
  async run({ args: [image], flags, engine, out }) {
    const { name, format } = flags
    const pull = flags.pullAlways ? "always" : flags.pullNever ? "never" : (flags.pull ?? "missing")
    using interrupt = new AbortOnInterrupt()
    using progress = new PullProgress({ fd: 2, quiet: flags.quiet || !out.stderrIsTerminal })
    const working = await engine.workingContainers()
    const { onProgress } = progress
    const { signal } = interrupt
    const source = await sourceImage(() => engine.images(), image, { ...platformOf(flags), onProgress, signal })
    const made = await working.from(source, {
      pull,
      onProgress,
      signal,
      access: registryAccess(flags),
      defaults: { run: runDefaults(flags), ...(format === undefined ? {} : { format }) },
      ...(name === undefined ? {} : { name }),
      ...platformOf(flags),
    })
    progress[Symbol.dispose]()
    if (flags.cidfile !== undefined) writeFileSync(flags.cidfile, made.id)
    out.line(made.name)
  },
})

interface PlatformFlags {
  platform: Platform | undefined
  os: string | undefined
  arch: string | undefined
  variant: string | undefined
}

function platformOf({ platform, os, arch, variant }: PlatformFlags): { platform?: Platform } {
  if (os === undefined && arch === undefined && variant === undefined) return platform ? { platform } : {}
  if (platform !== undefined) throw new UsageError("--platform option can not be specified with --arch or --os")
  const host = hostPlatform()
  return { platform: parsePlatform([os ?? host.os, arch ?? host.architecture, variant].filter(Boolean).join("/")) }
}
