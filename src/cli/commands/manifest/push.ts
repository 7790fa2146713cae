import { atomicWrite } from "../../../base/atomic-write.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { refused } from "../../build/foreign-flag.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
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
  summary: "Push a manifest list with its images to a registry",
  args: [arg.one("LIST"), arg.optional("DESTINATION")],
  flags: {
    ...REGISTRY_FLAGS,
    addCompression: refused("each image is pushed in one compression"),
    all: flag.bool("Push the images, too, which is done anyhow"),
    compressionFormat: flag.choice(
      COMPRESSION_FORMATS,
      "Compression of layers of local images: gzip, zstd, zstd:chunked or estargz",
    ),
    compressionLevel: flag.of(readCompressionLevel, "Compression level: 0 to 9 for gzip, 1 to 22 for zstd", "int"),
    digestfile: flag.string("Write the digest of the pushed list to the file", "string"),
    forceCompression: flag.bool("Also recompress layers in another format"),
    format: flag.of(readManifestFormat, "Format of the list: oci or docker (v2s2)", "string", { short: "f" }),
    insecure: flag.bool("Allow push to an insecure registry"),
    purge: flag.bool("Remove the local list after the push", { short: "p" }),
    quiet: flag.bool("Suppress the progress", { short: "q" }),
    removeSignatures: flag.bool("Signatures are not pushed anyway"),
    rm: flag.bool("Remove the local list after the push"),
    ...SIGN_FLAGS,
  },
  failureCode: 125,
  async run({ args: [list, destination], flags, engine, out }) {
    const lists = await engine.manifestLists()
    const { name } = lists.get(list)
    const signing = await signingOf(flags)
    using interrupt = new AbortOnInterrupt()
    using progress = new PullProgress({ fd: 2, quiet: flags.quiet })
    const digest = await lists.push(list, destination ?? name, {
      ...registryAccess(flags),
      ...(flags.insecure && { tlsVerify: false }),
      format: flags.format,
      form: layerForm({ ...flags, forceCompression: flags.forceCompression || undefined }),
      signing,
      onProgress: progress.onProgress,
      signal: interrupt.signal,
    })
    progress[Symbol.dispose]()
    out.line(digest)
    if (flags.digestfile !== undefined) atomicWrite(flags.digestfile, digest, { mode: 0o644 })
    if (flags.purge || flags.rm) lists.remove(list)
  },
})
