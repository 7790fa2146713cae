import type { LayerForm } from "../../../image/image.ts"
import { parsePlatform } from "../../../spec/platform.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import { PullProgress } from "../../output/pull-progress.ts"
import { readCompressionLevel } from "../../push-flags.ts"

export default command({
  summary: "Convert an image to another form, under another name",
  args: [arg.one("SOURCE", "images"), arg.one("TARGET[:TAG]")],
  flags: {
    allPlatforms: flag.bool("Convert the images of all platforms that the name leads to"),
    estargz: flag.bool("Give layers a table of contents as eStargz"),
    estargzCompressionLevel: flag.of(readCompressionLevel, "Compression level of eStargz, 0 to 9", "int"),
    oci: flag.bool("Convert Docker's media types to OCI's"),
    platform: flag.of(parsePlatform, "Convert the image of this platform", "string"),
    quiet: flag.bool("Suppress the progress", { short: "q" }),
    uncompress: flag.bool("Unpack layers"),
    zstd: flag.bool("Compress layers by zstd"),
    zstdCompressionLevel: flag.of(readCompressionLevel, "Compression level of zstd, 1 to 22", "int"),
    zstdchunked: flag.bool("Give layers a table of contents as zstd:chunked"),
    zstdchunkedCompressionLevel: flag.of(readCompressionLevel, "Compression level of zstd:chunked, 1 to 22", "int"),
  },
  examples: [
    "skiff image convert --zstdchunked --oci app:1 app:1-chunked",
    "skiff image convert --estargz app:1 registry.example/app:1-esgz",
  ],
  async run({ args: [source, target], flags, engine, out }) {
    const form = formOf(flags)
    if (form === undefined && !flags.oci)
      throw new UsageError("convert to what?", { hint: "--zstdchunked, --estargz, --zstd, --uncompress or --oci" })
    if (flags.allPlatforms && flags.platform !== undefined)
      throw new UsageError("--all-platforms and --platform cannot both be set")
    const images = await engine.images()
    using interrupt = new AbortOnInterrupt()
    using progress = new PullProgress({ fd: 2, quiet: flags.quiet })
    const { descriptor } = await images.convert(source, target, {
      all: flags.allPlatforms,
      ...(form === undefined ? {} : { form }),
      ...(flags.oci ? { format: "oci" } : {}),
      ...(flags.platform === undefined ? {} : { platform: flags.platform }),
      onProgress: progress.onProgress,
      signal: interrupt.signal,
    })
    progress[Symbol.dispose]()
    out.line(descriptor.digest)
  },
})

interface FormFlags {
  estargz: boolean
  estargzCompressionLevel: number | undefined
  uncompress: boolean
  zstd: boolean
  zstdCompressionLevel: number | undefined
  zstdchunked: boolean
  zstdchunkedCompressionLevel: number | undefined
}

function formOf(flags: FormFlags): LayerForm | undefined {
  const forms: [asked: boolean, form: LayerForm["compression"], level: number | undefined][] = [
    [flags.estargz, "estargz", flags.estargzCompressionLevel],
    [flags.zstdchunked, "zstd:chunked", flags.zstdchunkedCompressionLevel],
    [flags.zstd, "zstd", flags.zstdCompressionLevel],
    [flags.uncompress, "none", undefined],
  ]
  const [chosen, ...more] = forms.filter(([asked]) => asked)
  if (more.length > 0) throw new UsageError("--estargz, --zstdchunked, --zstd and --uncompress exclude each other")
  if (forms.some(([asked, , level]) => !asked && level !== undefined))
    throw new UsageError("a compression level goes with its own form")
  if (chosen === undefined) return undefined
  const [, compression, level] = chosen
  return { compression, every: true, ...(level === undefined ? {} : { level }) }
}
