import { InvalidArgument } from "../../base/errors.ts"
import type { Registries, RegistryAccess } from "../../registry/registry.ts"
import { parseReference } from "../../image/image.ts"
import type { CacheReader, CacheWriter } from "./backend.ts"

/** How a registry is reached, and until when. */
export type RegistryBackendOptions = RegistryAccess & { signal: AbortSignal }

/** A cache in a registry. */
export async function registryReader(
  registries: Registries,
  name: string,
  options: RegistryBackendOptions,
): Promise<CacheReader> {
  const ref = { tag: "latest", ...parseReference(name) }
  const { registry, repository } = ref
  // its layers become those of images that are built, as a base's do
  const admission = await registries.admission({ transport: "docker", ref })
  const source = await registries.open(options)
  return {
    name,
    async top() {
      const found = await source.resolve(ref)
      await admission?.admit([found.descriptor.digest], source)
      return found
    },
    document: (digest) => source.resolve({ registry, repository, digest }),
    fetch: (descriptor, offset) => source.fetch(ref, descriptor, offset),
  }
}

/** `pushed`: names of images that this build pushes: their layers need not be sent again. */
export async function registryWriter(
  registries: Registries,
  name: string,
  pushed: readonly string[],
  options: RegistryBackendOptions,
): Promise<CacheWriter> {
  const ref = parseReference(name)
  if (ref.digest !== undefined)
    throw new InvalidArgument(`cannot write a cache to "${name}": the digest cannot be chosen`, {
      hint: "give a tag",
    })
  const mountFrom = pushed
    .map((each) => parseReference(each))
    .filter(({ registry, repository }) => registry === ref.registry && repository !== ref.repository)
    .map(({ repository }) => repository)
  const target = await registries.openTarget(ref, { ...options, mountFrom })
  return {
    has: (descriptor) => target.has(descriptor),
    async put(descriptor, read, onProgress) {
      await target.upload(descriptor, read, { onProgress, mountFrom })
    },
    publish: (bytes, descriptor) => target.putManifest(bytes, descriptor, ref.tag ?? "latest"),
  }
}
