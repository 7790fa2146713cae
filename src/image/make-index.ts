import type { Lease } from "../content/content.ts"
import { MediaType, type Descriptor, type ImageIndex } from "../spec/oci-image.ts"
import { newDocument, type NewDocument } from "./documents.ts"
import type { ImageMember, Images, ImageSet } from "./image.ts"
import { mainMember } from "./image-set.ts"
import type { ImagesDeps } from "./deps.ts"
import type { ImageRecords } from "./records.ts"
import { taggedName } from "./reference.ts"

/** See `Images.index`. Safe to repeat. */
export async function makeIndex(
  deps: ImagesDeps,
  records: ImageRecords,
  set: ImageSet,
  options: Parameters<Images["index"]>[1],
): Promise<Descriptor> {
  const names = options.names.map(taggedName)
  await using own = await deps.leases.open()
  const lease: Lease = options.lease ?? own
  const { bytes, descriptor } = indexDocument(
    set.members.map((member) => ({ member, descriptor: member.image.manifest })),
    set,
    options.format,
  )
  lease.addBlob(descriptor.digest)
  await deps.content.put(bytes)
  const ids = set.members.map(({ image }) => image.id)
  const main = mainMember(set.members)
  records.transaction(() => {
    for (const name of names) {
      if (main !== undefined) records.setName(name, main.image.id)
      records.setIndex(name, descriptor.digest, ids)
    }
  })
  return descriptor
}

/** The index of manifests as they are in one place (image-spec image-index.md). */
export function indexDocument(
  entries: readonly { member: ImageMember; descriptor: Descriptor }[],
  { annotations }: Pick<ImageSet, "annotations">,
  format: "oci" | "docker",
  attestations: readonly Descriptor[] = [],
): NewDocument {
  const mediaType = format === "oci" || attestations.length > 0 ? MediaType.ociIndex : MediaType.dockerList
  const index: ImageIndex = {
    schemaVersion: 2,
    mediaType,
    manifests: [
      ...entries.map(({ member: { image, annotations: own }, descriptor: { mediaType: type, digest, size } }) => {
        const { os, architecture, variant } = image.platform
        const platform = { os, architecture, ...(variant === undefined ? {} : { variant }) }
        return { mediaType: type, digest, size, platform, ...(own === undefined ? {} : { annotations: { ...own } }) }
      }),
      ...attestations,
    ],
    ...(annotations?.index === undefined ? {} : { annotations: { ...annotations.index } }),
  }
  return newDocument(index, mediaType)
}

/** buildkit docs/attestations/attestation-storage.md, "Attestation Manifest Descriptor" */
export const ATTESTATION_ENTRY = {
  digest: "vnd.docker.reference.digest",
  type: "vnd.docker.reference.type",
  manifest: "attestation-manifest",
} as const

/** How an index names an attestation of one of its images: docker and containerd pass such an entry over. */
export function attestationEntry(attestation: Descriptor, subject: Descriptor): Descriptor {
  return {
    ...attestation,
    platform: { os: "unknown", architecture: "unknown" },
    annotations: {
      ...attestation.annotations,
      [ATTESTATION_ENTRY.digest]: subject.digest,
      [ATTESTATION_ENTRY.type]: ATTESTATION_ENTRY.manifest,
    },
  }
}
