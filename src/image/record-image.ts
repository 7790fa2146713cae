import { crashPoint } from "../base/crash-point.ts"
import type { Lease } from "../content/content.ts"
import { chainIds } from "../spec/chain-id.ts"
import { statementDocument } from "./attestations.ts"
import { putDocument, putImage } from "./documents.ts"
import type { Attestation, ImageMember, RecordImageOptions } from "./image.ts"
import { parseTime } from "./image-history.ts"
import type { ImagesDeps } from "./deps.ts"
import type { ImageRecords, NewImage } from "./records.ts"
import { taggedName } from "./reference.ts"

/** See `Images.record`: writes the documents of an image whose layers are snapshots already, and records it. */
export async function recordImage(
  deps: ImagesDeps,
  records: ImageRecords,
  options: RecordImageOptions,
): Promise<ImageMember> {
  const names = (options.tags ?? []).map(taggedName)
  await using lease = await deps.leases.open()
  const { image, attestations } = await writeImage(deps, options, names, lease)
  crashPoint("build:documents-put")
  records.transaction(() => {
    records.put(image)
    putSnapshotBlobs(records, image, options)
    records.putAttestations(image.id, attestations)
    for (const name of names) records.setName(name, image.id)
    records.tell("build", image.id, names[0] === undefined ? {} : { name: names[0] })
  })
  crashPoint("build:image-recorded")
  return { image: records.get(image.id), attestations }
}

/** See `Images.unrecorded`. */
export async function unrecordedImage(
  deps: ImagesDeps,
  records: ImageRecords,
  options: RecordImageOptions,
  lease: Lease,
): Promise<ImageMember> {
  const names = (options.tags ?? []).map(taggedName)
  const { image, attestations } = await writeImage(deps, options, names, lease)
  for (const { chainId } of image.layers) lease.addSnapshot(chainId)
  records.transaction(() => putSnapshotBlobs(records, image, options))
  return { image: { ...image, tags: [], repoDigests: [] }, attestations }
}

/** The documents, leased by the lease. */
async function writeImage(
  deps: ImagesDeps,
  options: RecordImageOptions,
  names: readonly string[],
  lease: Lease,
): Promise<{ image: NewImage; attestations: Attestation[] }> {
  const { config, layers, predicates = [] } = options
  const { content } = deps
  const written = await putImage(content, lease, { ...options, layers: layers.map(({ descriptor }) => descriptor) })
  const { manifest, blobs } = written
  const platform = { os: config.os, architecture: config.architecture, variant: config.variant }
  const attestations: Attestation[] = []
  for (const predicate of predicates) {
    const statement = await putDocument(
      content,
      lease,
      statementDocument(predicate, { digest: manifest.digest, names, platform }),
    )
    attestations.push({ predicateType: predicate.predicateType, statement })
  }
  const chain = chainIds(config.rootfs.diff_ids)
  const image: NewImage = {
    id: written.config.digest,
    manifest,
    platform,
    createdAt: parseTime(config.created),
    sizeBytes: layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    topLayer: chain.at(-1),
    labels: config.config?.Labels ?? {},
    layers: chain.map((chainId, index) => ({ chainId, sizeBytes: layers[index]?.sizeBytes ?? 0 })),
    blobs,
  }
  return { image, attestations }
}

function putSnapshotBlobs(records: ImageRecords, image: NewImage, { layers }: RecordImageOptions): void {
  layers.forEach(({ descriptor, isSnapshotOnly }, index) => {
    const chainId = image.layers[index]?.chainId
    if (isSnapshotOnly && chainId) records.putSnapshotBlob(descriptor.digest, descriptor.size, chainId)
  })
}
