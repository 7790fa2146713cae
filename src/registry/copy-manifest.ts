import { MAX_INDEX_DEPTH, parseManifest } from "../spec/parse-manifest.ts"
import type { Descriptor } from "../spec/oci-image.ts"
import type { CopyManifest } from "./registry.ts"

/** See `Registries.copy`. */
export async function copyManifest(copy: CopyManifest): Promise<Descriptor> {
  const { source, from, target, tag } = copy
  const { descriptor, bytes } = await source.resolve(from)
  await copyContent(copy, descriptor, bytes, 1)
  await target.putManifest(bytes, descriptor, tag)
  return descriptor
}

async function copyContent(
  copy: CopyManifest,
  { mediaType }: Descriptor,
  bytes: Uint8Array,
  depth: number,
): Promise<void> {
  const { source, from, target, keep = () => true } = copy
  const { registry, repository } = from
  const parsed = parseManifest(bytes, mediaType, `manifest of ${registry}/${repository}`)
  if (parsed.kind === "index") {
    if (depth >= MAX_INDEX_DEPTH) return
    for (const entry of parsed.index.manifests) {
      if (!keep(entry)) continue
      const child = await source.resolve({ registry, repository, digest: entry.digest })
      await copyContent(copy, child.descriptor, child.bytes, depth + 1)
      await target.putManifest(child.bytes, child.descriptor)
    }
    return
  }
  const { config, layers } = parsed.manifest
  const mountFrom = copy.to.registry === registry ? [repository] : []
  // one file may be many layers
  const blobs = new Map([config, ...layers].map((blob) => [blob.digest, blob]))
  for (const blob of blobs.values())
    if (!blob.urls?.length) await target.upload(blob, (offset) => blobFrom(copy, blob, offset), { mountFrom })
}

/** From `offset` on, also where the registry begins sooner. */
async function* blobFrom({ source, from }: CopyManifest, blob: Descriptor, offset: number): AsyncGenerator<Uint8Array> {
  const { registry, repository } = from
  const fetched = await source.fetch({ registry, repository }, blob, offset)
  let passed = fetched.offset
  for await (const chunk of fetched.bytes) {
    const rest = chunk.subarray(Math.min(Math.max(offset - passed, 0), chunk.length))
    passed += chunk.length
    if (rest.length > 0) yield rest
  }
}
