import { createHash } from "node:crypto"
import { noProgress } from "../base/progress.ts"
import { InvalidArgument } from "../base/errors.ts"
import { parseReference } from "../image/image.ts"
import type { Registries, RegistrySource, RegistryTarget, RemoteReference } from "../registry/registry.ts"
import { parseDigest, type Digest } from "../spec/digest.ts"
import { MediaType, type Descriptor } from "../spec/oci-image.ts"
import { indexOf } from "./index-of.ts"
import type { EntrySources } from "./entries.ts"
import type { ManifestEntry, ManifestList, PushListOptions } from "./manifest.ts"

/** See `ManifestLists.push`. */
export async function pushList(
  sources: EntrySources,
  list: ManifestList,
  destination: string,
  options: PushListOptions,
): Promise<Digest> {
  const to = parseReference(destination.replace(/^docker:\/\//, ""))
  if (to.digest !== undefined)
    throw new InvalidArgument(`cannot push to "${destination}": the digest cannot be chosen`, { hint: "give a tag" })
  const registries = await sources.registries()
  const signer = options.signing && (await registries.signer(options.signing))
  const from = list.entries.flatMap(({ source }) => ("reference" in source ? [parseReference(source.reference)] : []))
  const mountFrom = from.filter(({ registry }) => registry === to.registry).map(({ repository }) => repository)
  const target = await registries.openTarget(to, { ...options, mountFrom })
  const source = await registries.open(options)
  const pushed: Descriptor[] = []
  for (const entry of list.entries)
    pushed.push(await pushEntry(sources, entry, { registries, to, target, source, options }))
  const tagged = { tag: "latest", ...to }
  for (const entry of pushed) await signer?.sign(tagged, entry.digest, target)
  const isDocker = pushed.length > 0 && pushed.every(({ mediaType }) => mediaType === MediaType.dockerManifest)
  const format = options.format ?? (isDocker ? "docker" : "oci")
  const bytes = Buffer.from(JSON.stringify(indexOf(list, pushed, format)))
  const digest = parseDigest(`sha256:${createHash("sha256").update(bytes).digest("hex")}`)
  const mediaType = format === "docker" ? MediaType.dockerList : MediaType.ociIndex
  await target.putManifest(bytes, { mediaType, digest, size: bytes.length }, tagged.tag)
  await signer?.sign(tagged, digest, target)
  return digest
}

interface Push {
  registries: Registries
  to: RemoteReference
  target: RegistryTarget
  source: RegistrySource
  options: PushListOptions
}

/** Gives the entry as it is there: layers of this store travel compressed, and so have another manifest. */
async function pushEntry(
  { images }: EntrySources,
  { descriptor, source: place }: ManifestEntry,
  { registries, to, target, source, options }: Push,
): Promise<Descriptor> {
  if ("reference" in place) {
    await registries.copy({ source, from: parseReference(place.reference), target, to })
    return descriptor
  }
  const { signal, onProgress = noProgress, form, format, signing: _, ...access } = options
  const { digest, size, mediaType } = await (
    await images()
  ).push(place.image, {
    ...access,
    onProgress,
    ...(signal !== undefined && { signal }),
    ...(form !== undefined && { form }),
    ...(format !== undefined && { format }),
    destination: `${to.registry}/${to.repository}:latest`,
    byDigest: true,
  })
  return { ...descriptor, digest, size, mediaType }
}
