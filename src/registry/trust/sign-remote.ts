import { parseManifest } from "../../spec/parse-manifest.ts"
import { hostPlatform, samePlatform } from "../../spec/platform.ts"
import type { Digest } from "../../spec/digest.ts"
import type { Registries, RemoteReference, SignRemoteOptions } from "../registry.ts"

/** See `Registries.sign`. */
export async function signRemote(
  registries: Registries,
  ref: RemoteReference,
  { all = false, signing, ...access }: SignRemoteOptions,
): Promise<Digest[]> {
  const signer = await registries.signer(signing)
  const source = await registries.open(access)
  const { descriptor, bytes } = await source.resolve(ref)
  const parsed = parseManifest(bytes, descriptor.mediaType, `manifest of ${ref.registry}/${ref.repository}`)
  const entries = parsed.kind === "index" ? parsed.index.manifests : []
  // podman looks for a signature of the image alone, cosign for one of the index
  const wanted = entries.filter(
    ({ platform }) => all || (platform !== undefined && samePlatform(platform, hostPlatform())),
  )
  const digests = [...wanted.map(({ digest }) => digest), descriptor.digest]
  const target = await registries.openTarget(ref, access)
  for (const digest of digests) await signer.sign(ref, digest, target)
  return digests
}
