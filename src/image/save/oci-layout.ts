import { createHash } from "node:crypto"
import type { ContentStore } from "../../content/content.ts"
import { digestAlgorithm, digestHex, parseDigest, type Digest } from "../../spec/digest.ts"
import { MediaType, type Descriptor } from "../../spec/oci-image.ts"
import { LAYOUT_FILE } from "../../spec/oci-layout.ts"
import type { HeldManifest } from "../held-manifest.ts"
import { withLayers } from "../layer-compressor.ts"
import { parseReference } from "../reference.ts"
import type { HeldImage, SavedFile } from "./save-images.ts"

/** An OCI layout (image-spec image-layout.md): blobs as the store has them, so that digests stay what they are. */
export async function* ociLayoutFiles(content: ContentStore, images: readonly HeldImage[]): AsyncGenerator<SavedFile> {
  const written = new Set<Digest>()
  const manifests: Descriptor[] = []
  for (const { image, names, held } of images) {
    for (const { digest, size } of [...held.manifest.layers, held.manifest.config]) {
      if (written.has(digest)) continue
      written.add(digest)
      yield { name: blobName(digest), size, bytes: () => content.read(digest) }
    }
    const { bytes, mediaType } = asOci(held)
    const digest = parseDigest(`sha256:${createHash("sha256").update(bytes).digest("hex")}`)
    if (!written.has(digest)) yield documentFile(blobName(digest), bytes)
    written.add(digest)
    const { os, architecture, variant } = image.platform
    const platform = { os, architecture, ...(variant === undefined ? {} : { variant }) }
    const descriptor = { mediaType, digest, size: bytes.length, platform }
    if (names.length === 0) manifests.push(descriptor)
    for (const name of names) manifests.push({ ...descriptor, annotations: annotationsOf(name) })
  }
  yield documentFile("index.json", { schemaVersion: 2, mediaType: MediaType.ociIndex, manifests })
  yield documentFile("oci-layout", LAYOUT_FILE)
}

/** skopeo and podman look for OCI's manifests alone in a layout: one of Docker's is written anew, the config stays. */
function asOci(held: HeldManifest): { bytes: Uint8Array; mediaType: string } {
  return held.mediaType === MediaType.ociManifest ? held : withLayers(held, held.manifest.layers, MediaType.ociManifest)
}

/** Both names that tools look for; docker and containerd the first, podman and skopeo the second. */
function annotationsOf(name: string): Record<string, string> {
  const { tag = "latest" } = parseReference(name)
  return { "io.containerd.image.name": name, "org.opencontainers.image.ref.name": tag }
}

function blobName(digest: Digest): string {
  return `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`
}

/** A file of bytes at hand, or of a document as JSON. */
export function documentFile(name: string, document: unknown): SavedFile {
  const bytes = document instanceof Uint8Array ? document : Buffer.from(JSON.stringify(document))
  return {
    name,
    size: bytes.length,
    async *bytes() {
      yield bytes
    },
  }
}
