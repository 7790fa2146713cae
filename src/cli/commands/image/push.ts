import { atomicWrite } from "../../../base/atomic-write.ts"
import { InvalidArgument, NotFound } from "../../../base/errors.ts"
import { parseReference, type Images, type PushResult } from "../../../image/image.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import type { Out } from "../../out.ts"
import { PullProgress } from "../../output/pull-progress.ts"
import { REGISTRY_FLAGS, registryAccess } from "../../registry-flags.ts"

export default command({
  summary: "Upload an image to a registry",
  args: [arg.one("NAME[:TAG]", "images"), arg.optional("DESTINATION")],
  flags: {
    ...REGISTRY_FLAGS,
    allTags: flag.bool("Push all tags of an image to the repository", { short: "a" }),
    compressionFormat: flag.choice(
      ["gzip", "zstd"],
      'Compress all layers so ("gzip"|"zstd"; default as they are, gzip for plain ones)',
    ),
    digestfile: flag.string("Write the digest of the pushed manifest to the file", "string"),
    quiet: flag.bool("Suppress verbose output", { short: "q" }),
  },
  examples: ["skiff push registry.example/team/app:1.2", "skiff push --all-tags localhost:5000/app"],
  async run({ args: [source, destination], flags, engine, out }) {
    const images = await engine.images()
    const names = flags.allTags ? allTagsOf(images, source, destination) : [source]
    const form = flags.compressionFormat && { compression: flags.compressionFormat, every: true }
    using interrupt = new AbortOnInterrupt()
    for (const name of names) {
      using progress = new PullProgress({ fd: 1, quiet: flags.quiet })
      const { signal } = interrupt
      const { onProgress } = progress
      const options = { ...registryAccess(flags), form, destination, onProgress, signal }
      const result = await images.push(name, options)
      progress[Symbol.dispose]()
      report(out, result, flags.quiet)
      if (flags.digestfile !== undefined) atomicWrite(flags.digestfile, result.digest, { mode: 0o644 })
    }
  },
})

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
