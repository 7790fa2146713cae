import { InvalidArgument } from "../../base/errors.ts"
import type { ImagesDeps } from "../deps.ts"
import type { CopyOptions } from "../image.ts"
import type { Reference } from "../reference.ts"
import { signalOf } from "./copy-source.ts"
import type { CopyTarget } from "./copy-target.ts"
import type { ImagePlace } from "./place.ts"

/** A repository of a registry; from one of the same registry, blobs are mounted. */
export async function registryTarget(
  deps: ImagesDeps,
  to: Reference,
  from: ImagePlace,
  options: CopyOptions,
): Promise<CopyTarget> {
  const mountFrom =
    from.kind === "docker" && from.ref.registry === to.registry && from.ref.repository !== to.repository
      ? [from.ref.repository]
      : []
  const registries = await deps.registries()
  const signer = options.signing && (await registries.signer(options.signing))
  const target = await registries.openTarget(to, { ...options.target, ...signalOf(options), mountFrom })
  return {
    compresses: true,
    async blob({ descriptor, read }) {
      const { how } = await target.upload(descriptor, read, { mountFrom })
      return how !== "there"
    },
    async child({ descriptor, bytes }) {
      await target.putManifest(bytes, descriptor)
      await signer?.sign(to, descriptor.digest, target)
    },
    async commit({ descriptor, bytes }) {
      if (to.digest !== undefined && to.digest !== descriptor.digest)
        throw new InvalidArgument(`what is copied has digest ${descriptor.digest}, not ${to.digest}`)
      await target.putManifest(bytes, descriptor, to.digest === undefined ? to.tag : undefined)
      await signer?.sign(to, descriptor.digest, target)
    },
  }
}
