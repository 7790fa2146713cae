import { InvalidArgument, NotFound } from "../../../base/errors.ts"
import { formatReference, parseReference, type Images, type PullOptions } from "../../../image/image.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { decryptionKey, decryptionKeys } from "../../decryption-keys.ts"
import type { Results } from "../../compat/results.ts"
import { flag } from "../../flag.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import type { Out } from "../../out.ts"
import { PullProgress } from "../../output/pull-progress.ts"
import { PLATFORM_PART_FLAGS, platformOfParts } from "../../platform-flags.ts"
import { REGISTRY_FLAGS, registryAccess } from "../../registry-flags.ts"
import { parsePlatform } from "../../../spec/platform.ts"

export default command({
  summary: "Download an image from a registry",
  args: [arg.some("NAME[:TAG|@DIGEST]", "images")],
  flags: {
    ...REGISTRY_FLAGS,
    ...PLATFORM_PART_FLAGS,
    allTags: flag.bool("Download all tagged images in the repository", { short: "a" }),
    decryptionKey,
    platform: flag.of(parsePlatform, "Set the platform of a multi-platform image", "string"),
    policy: flag.choice(
      ["always", "missing", "never", "newer"],
      'Pull policy ("always", "missing", "never", "newer")',
      {
        initial: "always",
      },
    ),
    quiet: flag.bool("Suppress verbose output", { short: "q" }),
  },
  examples: ["skiff pull debian:12-slim", "skiff pull --platform linux/arm64 alpine"],
  async run({ args: [given], flags, engine, out, dialect: { results } }) {
    const images = await engine.images()
    using interrupt = new AbortOnInterrupt()
    const options: PullOptions = {
      ...registryAccess(flags),
      decryptionKeys: decryptionKeys(flags.decryptionKey),
      platform: platformOfParts(flags, flags.platform !== undefined) ?? flags.platform,
      signal: interrupt.signal,
    }
    const plain = given.map((one) => one.replace(/^docker:\/\//, ""))
    const names = flags.allTags ? plain.map((one) => namesAt(images, one, options)) : [plain]
    for (const name of (await Promise.all(names)).flat()) {
      const place = results.takesTransports ? /^(?:docker-archive|oci-archive|oci):([^:]+)/.exec(name)?.[1] : undefined
      if (place !== undefined) {
        const loaded = await images.load({ path: place }, { signal: interrupt.signal })
        for (const { image } of loaded) out.line(results.imageId(image.id))
        continue
      }
      const held = flags.policy === "missing" || flags.policy === "never" ? images.find(name) : undefined
      if (held !== undefined) out.line(flags.quiet ? name : held.id)
      else if (flags.policy === "never")
        throw new NotFound(`no such image: "${name}"`, { hint: "leave out --policy never" })
      else await pull(images, name, { options, quiet: flags.quiet, out, results })
    }
  },
})

async function namesAt(images: Images, given: string, options: PullOptions): Promise<string[]> {
  const { tag, digest } = parseReference(given)
  if (tag !== undefined || digest !== undefined)
    throw new InvalidArgument("tag can't be used with --all-tags/-a", { hint: "give the repository alone" })
  return await images.tagsAt(given, options)
}

async function pull(
  images: Images,
  name: string,
  { options, quiet, out, results }: { options: PullOptions; quiet: boolean; out: Out; results: Results },
): Promise<void> {
  const { registry, tag, digest, repository } = parseReference(name)
  const heading = `${digest ?? tag ?? "latest"}: Pulling from ${repository}`
  const full = formatReference({
    registry,
    repository,
    tag: tag ?? (digest === undefined ? "latest" : undefined),
    digest,
  })
  const isUntagged = tag === undefined && digest === undefined
  using progress = new PullProgress({
    fd: results.pullProgress,
    quiet,
    intro: () => results.pulling(full) ?? (isUntagged ? `Using default tag: latest\n${heading}` : heading),
  })
  const result = await images.pull(name, { ...options, onProgress: progress.onProgress })
  progress[Symbol.dispose]()
  for (const line of results.pulled(result, quiet)) out.line(line)
}
