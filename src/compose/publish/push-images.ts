import { parseReference } from "../../image/image.ts"
import type { Registries, RegistryTarget } from "../../registry/registry.ts"
import { MediaType, type Descriptor } from "../../spec/oci-image.ts"
import { COMPOSE_VERSION } from "../labels.ts"
import { digestOf } from "./project-layers.ts"
import type { PublishOptions } from "./publish-options.ts"

const ANNOTATIONS = { "com.docker.compose.version": COMPOSE_VERSION }

/**
 * Copies images, byte for byte, into the repository of a published project, and an index of them that refers to it (docker compose 2.40,
 * `publish --app`). Throws NotFound, PermissionDenied, Unavailable.
 */
export async function pushImages(
  registries: Registries,
  reference: string,
  images: readonly string[],
  { project, signal }: Pick<PublishOptions, "signal"> & { project: Descriptor },
): Promise<void> {
  const { registry, repository } = parseReference(reference)
  const to = { registry, repository }
  const options = signal ? { signal } : {}
  const source = await registries.open(options)
  const from = [...new Set(images)].map(parseReference)
  const mountFrom = from.filter((image) => image.registry === registry).map((image) => image.repository)
  const target = await registries.openTarget(to, { ...options, mountFrom })
  const manifests: Descriptor[] = []
  for (const image of from) manifests.push(await registries.copy({ source, from: image, target, to }))
  await putIndex(target, manifests, project)
}

async function putIndex(target: RegistryTarget, manifests: Descriptor[], project: Descriptor): Promise<void> {
  const mediaType = MediaType.ociIndex
  const index = { schemaVersion: 2, mediaType, manifests, subject: project, annotations: ANNOTATIONS }
  const bytes = Buffer.from(JSON.stringify(index))
  const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length, annotations: ANNOTATIONS }
  await target.putReferrer(bytes, descriptor, project)
}
