import { atomicWrite } from "../../../base/atomic-write.ts"
import { defined } from "../../../base/defined.ts"
import { InvalidArgument, NotFound } from "../../../base/errors.ts"
import { parseReference, type CopyOptions, type Images, type LayerForm, type PushResult } from "../../../image/image.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { refused, withoutValue } from "../../build/foreign-flag.ts"
import { command } from "../../command.ts"
import { imageMember, MEMBER_PLATFORM_FLAG } from "../../image-member.ts"
import { readBoolean } from "../../../spec/docker/boolean.ts"
import { flag } from "../../flag.ts"
import type { Out } from "../../out.ts"
import { PullProgress } from "../../output/pull-progress.ts"
import {
  COMPRESSION_FORMATS,
  layerForm,
  readCompressionLevel,
  readManifestFormat,
  SIGN_FLAGS,
  signingOf,
} from "../../push-flags.ts"
import { REGISTRY_FLAGS, registryAccess } from "../../registry-flags.ts"

export default command({
  summary: "Upload an image to a registry",
  args: [arg.one("NAME[:TAG]", "images"), arg.optional("DESTINATION")],
  flags: {
    ...REGISTRY_FLAGS,
    allTags: flag.bool("Push all tags of an image to the repository", { short: "a" }),
    compress: flag.bool("Compress layers that are not, which is done anyhow"),
    encryptLayer: refused("layers are not encrypted"),
    encryptionKey: refused("layers are not encrypted"),
    platform: MEMBER_PLATFORM_FLAG,
    ...SIGN_FLAGS,
    compressionFormat: flag.choice(
      COMPRESSION_FORMATS,
      "Compression of layers: gzip, zstd, zstd:chunked or estargz (default: as they are, gzip for uncompressed ones)",
    ),
    compressionLevel: flag.of(readCompressionLevel, "Compression level: 0 to 9 for gzip, 1 to 22 for zstd", "int"),
    digestfile: flag.string("Write the digest of the pushed manifest to the file", "string"),
    disableCompression: flag.bool("Do not compress uncompressed layers", { short: "D" }),
    forceCompression: withoutValue(
      flag.of(readBoolean, "Also recompress layers in another format (default true with --compression-format)", "bool"),
      "true",
    ),
    format: flag.of(readManifestFormat, "Format of the manifest: oci or docker (v2s2)", "string", {
      short: "f",
      completes: ["oci", "docker"],
    }),
    quiet: flag.bool("Suppress verbose output", { short: "q" }),
    removeSignatures: flag.bool("Signatures are not pushed anyway"),
    rm: flag.bool("Remove the local image after pushing it"),
  },
  examples: ["skiff push registry.example/team/app:1.2", "skiff push --all-tags localhost:5000/app"],
  async run({ args: [source, given], flags, engine, out, dialect }) {
    const images = await engine.images()
    const destination = given?.replace(/^docker:\/\//, "")
    const names = flags.allTags ? allTagsOf(images, source, destination) : [source]
    const form = formOf(flags)
    const signing = await signingOf(flags)
    if (destination !== undefined && dialect.results.takesTransports && TRANSPORT.test(destination))
      return await copyTo(images, source, destination, { ...flags, form, signing })
    using interrupt = new AbortOnInterrupt()
    for (const name of names) {
      using progress = new PullProgress({ fd: 1, quiet: flags.quiet })
      const { signal } = interrupt
      const { onProgress } = progress
      const { platform } = flags
      const members = platform === undefined ? undefined : [await imageMember(images, name, platform)]
      const only = members === undefined ? {} : { images: { members } }
      const options = {
        ...registryAccess(flags),
        ...only,
        form,
        format: flags.format,
        destination,
        signing,
        onProgress,
        signal,
      }
      const result = await images.push(name, options)
      progress[Symbol.dispose]()
      report(out, result, flags.quiet)
      if (flags.digestfile !== undefined) atomicWrite(flags.digestfile, result.digest, { mode: 0o644 })
      if (flags.rm) await images.remove(name)
    }
  },
})

/** containers-transports(5), those that are no registry. */
const TRANSPORT = /^(?:containers-storage|dir|docker-archive|docker-daemon|oci|oci-archive):/

interface PlaceFlags extends Pick<CopyOptions, "form" | "format" | "platform" | "signing"> {
  quiet: boolean
  digestfile: string | undefined
  rm: boolean
}

/** Podman's `push` to a place that is no registry. */
async function copyTo(
  images: Images,
  source: string,
  destination: string,
  { quiet, digestfile, rm, form, format, platform, signing }: PlaceFlags,
): Promise<void> {
  using interrupt = new AbortOnInterrupt()
  using progress = new PullProgress({ fd: 2, quiet })
  const { onProgress } = progress
  const options = defined({ form, format, platform, signing })
  const { descriptor } = await images.copy(source, destination, { ...options, onProgress, signal: interrupt.signal })
  if (digestfile !== undefined) atomicWrite(digestfile, descriptor.digest, { mode: 0o644 })
  if (rm) await images.remove(source)
}

interface FormFlags {
  compressionFormat: (typeof COMPRESSION_FORMATS)[number] | undefined
  compressionLevel: number | undefined
  disableCompression: boolean
  forceCompression: boolean | undefined
}

function formOf(flags: FormFlags): LayerForm | undefined {
  const { compressionFormat, compressionLevel: level, disableCompression, forceCompression } = flags
  if (disableCompression) {
    if (compressionFormat !== undefined || level !== undefined || forceCompression)
      throw new InvalidArgument("--disable-compression and flags of compression are mutually exclusive")
    return { compression: "none" }
  }
  return layerForm(flags)
}

function report(out: Out, { name, digest, size }: PushResult, quiet: boolean): void {
  const { tag } = parseReference(name)
  if (quiet) out.line(name)
  else out.line(`${tag}: digest: ${digest} size: ${size}`)
}

function allTagsOf(images: Images, source: string, destination: string | undefined): string[] {
  const { registry, repository, tag, digest } = parseReference(source)
  if (destination !== undefined || tag !== undefined || digest !== undefined)
    throw new InvalidArgument("tag can't be used with --all-tags/-a", { hint: "give the repository alone" })
  const prefix = `${registry}/${repository}:`
  const names = images.list().flatMap(({ tags }) => tags.filter((name) => name.startsWith(prefix)))
  if (names.length === 0) throw new NotFound(`an image does not exist locally with the name: ${registry}/${repository}`)
  return names.toSorted()
}
