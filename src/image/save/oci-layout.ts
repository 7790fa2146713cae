import type { ContentStore } from "../../content/content.ts"
import { digestAlgorithm, digestHex, type Digest } from "../../spec/digest.ts"
import { EMPTY_DOCUMENT } from "../../spec/in-toto.ts"
import { MediaType, type Descriptor } from "../../spec/oci-image.ts"
import { LAYOUT_FILE } from "../../spec/oci-layout.ts"
import { attachedTo } from "../attestations.ts"
import { digestOf, type NewDocument } from "../documents.ts"
import type { LeasedManifest } from "../leased-manifest.ts"
import { withLayers } from "../layer-compressor.ts"
import { attestationEntry, indexDocument } from "../make-index.ts"
import { parseReference } from "../reference.ts"
import { documentFile, type LeasedMember, type LeasedSet, type SavedFile } from "./saved-file.ts"

/**
 * An OCI layout (image-spec image-layout.md): blobs as the store has them, so that digests stay what they are. What is of
 * several platforms, or attested, has an index of its own below the layout's: all tools choose from such a one by platform.
 */
export async function* ociLayoutFiles(content: ContentStore, sets: readonly LeasedSet[]): AsyncGenerator<SavedFile> {
  const writer = new LayoutWriter(content)
  const manifests: Descriptor[] = []
  for (const set of sets) {
    const { names, members, annotations } = set
    const entries: { member: LeasedMember; descriptor: Descriptor }[] = []
    const attestations: Descriptor[] = []
    for (const member of members) {
      const descriptor = yield* writer.image(member)
      entries.push({ member, descriptor })
      for (const attached of yield* writer.attestations(member, descriptor, names)) attestations.push(attached)
    }
    const isPlain = entries.length + attestations.length === 1
    const top = isPlain
      ? { ...entries[0]?.descriptor, platform: platformOf(members[0]) }
      : yield* writer.document(indexDocument(entries, set, "oci", attestations))
    const own = isPlain ? members[0].annotations : annotations?.descriptor
    if (names.length === 0) manifests.push({ ...top, ...(own === undefined ? {} : { annotations: own }) } as Descriptor)
    for (const name of names) manifests.push({ ...top, annotations: { ...own, ...annotationsOf(name) } } as Descriptor)
  }
  yield documentFile("index.json", { schemaVersion: 2, mediaType: MediaType.ociIndex, manifests })
  yield documentFile("oci-layout", LAYOUT_FILE)
}

/** Each chunk is written before the next is asked for. */
const REUSE = { start: 0, reuse: true }

/** Gives files, each once. */
class LayoutWriter {
  readonly #content: ContentStore
  readonly #written = new Set<Digest>()

  constructor(content: ContentStore) {
    this.#content = content
  }

  *image({ leased }: LeasedMember): Generator<SavedFile, Descriptor> {
    for (const { digest, size } of [...leased.manifest.layers, leased.manifest.config])
      if (this.#isNew(digest)) yield { name: blobName(digest), size, bytes: () => this.#content.read(digest, REUSE) }
    const { bytes, mediaType } = asOci(leased)
    return yield* this.document({ bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length } })
  }

  async *attestations(
    { attestations, image: { platform } }: LeasedMember,
    subject: Descriptor,
    names: readonly string[],
  ): AsyncGenerator<SavedFile, Descriptor[]> {
    const entries: Descriptor[] = []
    for (const attestation of attestations) {
      const { statement, manifest } = await attachedTo(this.#content, attestation, subject, { names, platform })
      yield* this.document(EMPTY_DOCUMENT)
      yield* this.document(statement)
      entries.push(attestationEntry(yield* this.document(manifest), subject))
    }
    return entries
  }

  *document({ bytes, descriptor }: NewDocument): Generator<SavedFile, Descriptor> {
    if (this.#isNew(descriptor.digest)) yield documentFile(blobName(descriptor.digest), bytes)
    return descriptor
  }

  #isNew(digest: Digest): boolean {
    const isNew = !this.#written.has(digest)
    this.#written.add(digest)
    return isNew
  }
}

function platformOf({ image }: LeasedMember): Descriptor["platform"] {
  const { os, architecture, variant } = image.platform
  return { os, architecture, ...(variant === undefined ? {} : { variant }) }
}

/** skopeo and podman look for OCI's manifests alone in a layout: one of Docker's is written anew, the config stays. */
function asOci(leased: LeasedManifest): { bytes: Uint8Array; mediaType: string } {
  return leased.mediaType === MediaType.ociManifest
    ? leased
    : withLayers(leased, leased.manifest.layers, MediaType.ociManifest)
}

/** Both names that tools look for; docker and containerd the first, podman and skopeo the second. */
function annotationsOf(name: string): Record<string, string> {
  const { tag = "latest" } = parseReference(name)
  return { "io.containerd.image.name": name, "org.opencontainers.image.ref.name": tag }
}

function blobName(digest: Digest): string {
  return `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`
}
