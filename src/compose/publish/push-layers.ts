import { isSkiffError } from "../../base/errors.ts"
import { parseReference } from "../../image/image.ts"
import type { Registries, RegistryTarget } from "../../registry/registry.ts"
import { MediaType, type Descriptor, type ImageManifest } from "../../spec/oci-image.ts"
import { digestOf, type ProjectLayer } from "./project-layers.ts"
import type { PublishOptions } from "./publish-options.ts"

const ARTIFACT_TYPE = "application/vnd.docker.compose.project"
const EMPTY = Buffer.from("{}")
/** image-spec 1.1, manifest.md, "Guidance for an Empty Descriptor" */
const EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
/** In image-spec 1.0 the type of the config tells what the artifact is. */
const CONFIG_TYPE = "application/vnd.docker.compose.config.empty.v1+json"

/** Sends files and their manifest, which `reference` then names. Gives the manifest's descriptor. Throws PermissionDenied, Unavailable. */
export async function pushLayers(
  registries: Registries,
  reference: string,
  layers: readonly ProjectLayer[],
  { ociVersion, signal }: Pick<PublishOptions, "ociVersion" | "signal">,
): Promise<Descriptor> {
  const to = parseReference(reference)
  const target = await registries.openTarget(to, signal ? { signal } : {})
  for (const { descriptor, bytes } of [{ descriptor: emptyConfig(EMPTY_TYPE), bytes: EMPTY }, ...layers])
    await target.upload(descriptor, async function* (offset) {
      yield bytes.subarray(offset)
    })
  const descriptors = layers.map(({ descriptor }) => descriptor)
  const tag = to.tag ?? "latest"
  try {
    return await putManifest(target, manifestOf(descriptors, ociVersion ?? "1.1"), tag)
  } catch (error) {
    const isRefused = isSkiffError(error) && !["PermissionDenied", "Unavailable", "Cancelled"].includes(error.code)
    if (ociVersion !== undefined || !isRefused) throw error
    return await putManifest(target, manifestOf(descriptors, "1.0"), tag)
  }
}

function emptyConfig(mediaType: string): Descriptor {
  return { mediaType, digest: digestOf(EMPTY), size: EMPTY.length }
}

function manifestOf(layers: Descriptor[], version: "1.0" | "1.1"): ImageManifest {
  return {
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    ...(version === "1.1" && { artifactType: ARTIFACT_TYPE }),
    config: emptyConfig(version === "1.1" ? EMPTY_TYPE : CONFIG_TYPE),
    layers,
    annotations: { "org.opencontainers.image.created": new Date().toISOString().replace(/\.\d+Z$/, "Z") },
  }
}

async function putManifest(target: RegistryTarget, manifest: ImageManifest, tag: string): Promise<Descriptor> {
  const bytes = Buffer.from(JSON.stringify(manifest))
  const descriptor = { mediaType: MediaType.ociManifest, digest: digestOf(bytes), size: bytes.length }
  await target.putManifest(bytes, descriptor, tag)
  return descriptor
}
