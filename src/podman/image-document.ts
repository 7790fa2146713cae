/** Podman's inspect document of an image: what it has beyond docker's, and what it says otherwise. */
import type { ImageDetails } from "../image/image.ts"
import { digestHex } from "../spec/digest.ts"

type Document = Record<string, unknown>

/** Docker's document with the keys that podman alone has. Pure. */
export function withPodmanImageKeys(docker: Document, details: ImageDetails): Document {
  return { ...extraKeys(details), ...docker }
}

/** The document as podman has it: an id without its algorithm, names in full. Pure. */
export function podmanImageDocument(docker: Document, details: ImageDetails): Document {
  const { image } = details
  return {
    ...extraKeys(details),
    ...docker,
    Id: digestHex(image.id),
    RepoTags: image.tags,
    RepoDigests: image.repoDigests,
  }
}

function extraKeys({ image, config }: ImageDetails): Document {
  const { manifest, sizeBytes, tags } = image
  return {
    Annotations: manifest.annotations ?? {},
    Digest: manifest.digest,
    Healthcheck: config.config?.Healthcheck ?? null,
    History: config.history ?? [],
    Labels: config.config?.Labels ?? null,
    ManifestType: manifest.mediaType,
    NamesHistory: tags,
    User: config.config?.User ?? "",
    Version: "",
    VirtualSize: sizeBytes,
  }
}
