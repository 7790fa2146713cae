import { InvalidArgument } from "../../../base/errors.ts"
import type { Bytes } from "../../../base/bytes.ts"
import { SAVE_FORMATS, type Images, type LayerForm, type SaveOptions } from "../../../image/image.ts"
import type { Platform } from "../../../spec/platform.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { imageMember, MEMBER_PLATFORM_FLAG } from "../../image-member.ts"
import { flag } from "../../flag.ts"
import { writeResult } from "../../output/write-result.ts"

export default command({
  summary: "Save one or more images to a tar archive (streamed to STDOUT by default)",
  args: [arg.some("IMAGE", "images")],
  flags: {
    compress: flag.bool("Compress the layers of a directory"),
    format: flag.choice(SAVE_FORMATS, "Format: docker-archive (default), oci-archive, oci-dir, docker-dir"),
    output: flag.string("Write to a file, or to a directory for oci-dir and docker-dir, instead of STDOUT", "string", {
      short: "o",
    }),
    multiImageArchive: flag.bool("Several images in one archive, which is so anyhow", { short: "m" }),
    platform: MEMBER_PLATFORM_FLAG,
    quiet: flag.bool("Show no progress, of which there is none", { short: "q" }),
    uncompressed: flag.bool("Leave layers uncompressed in an OCI archive"),
  },
  examples: ["skiff save -o app.tar app:1.2 postgres:16", "skiff save --format oci-archive app | zstd > app.tar.zst"],
  async run({ args: [names], flags, engine, out }) {
    const { format = "docker-archive", output, platform } = flags
    const form = formOf(flags, format)
    const images = await engine.images()
    using interrupt = new AbortOnInterrupt()
    const { signal } = interrupt
    if (format === "docker-archive" || format === "oci-archive")
      return await writeResult("save", output, await archiveOf(images, names, format, { platform, form, signal }), out)
    if (output === undefined || output === "-")
      throw new InvalidArgument(`--format ${format} makes a directory`, { hint: "name it: -o DIRECTORY" })
    if (platform !== undefined) throw new UsageError(`--platform cannot be used with --format ${format}`)
    await images.saveDirectory(names, format, output, { form, signal })
  },
})

async function archiveOf(
  images: Images,
  names: readonly string[],
  format: "docker-archive" | "oci-archive",
  { platform, ...options }: SaveOptions & { platform: Platform | undefined },
): Promise<Bytes> {
  if (platform === undefined) return images.save(names, format, options)
  const members = await Promise.all(names.map((name) => imageMember(images, name, platform)))
  if (members.length > 1) throw new UsageError("--platform takes one image", { hint: "save them one by one" })
  return images.saveSet({ members }, names, format, options)
}

/** A docker-archive has no compressed layers, whatever is asked for. */
function formOf(flags: { compress: boolean; uncompressed: boolean }, format: string): LayerForm | undefined {
  if (flags.compress && flags.uncompressed)
    throw new UsageError("--compress and --uncompressed cannot be used together")
  if (flags.compress && !format.endsWith("-dir"))
    throw new UsageError("--compress can only be set when --format is oci-dir or docker-dir")
  if (flags.compress) return { compression: "gzip", every: true }
  return flags.uncompressed ? { compression: "none", every: true } : undefined
}
