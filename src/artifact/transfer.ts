/** Artifacts to registries and back. */
import { Unsupported } from "../base/errors.ts"
import { noProgress } from "../base/progress.ts"
import type { Lease } from "../content/content.ts"
import { parseReference } from "../image/image.ts"
import type { RegistrySource, RemoteReference } from "../registry/registry.ts"
import { shortDigest, type Digest } from "../spec/digest.ts"
import { MAX_MANIFEST_BYTES, type Descriptor } from "../spec/oci-image.ts"
import { isImageConfig, parseManifest } from "../spec/parse-manifest.ts"
import type { Artifact, TransferOptions } from "./artifact.ts"
import type { ArtifactsDeps } from "./deps.ts"
import { artifactName, type ArtifactRecords } from "./records.ts"

/** See `Artifacts.pull`. */
export async function pullArtifact(
  deps: ArtifactsDeps,
  records: ArtifactRecords,
  name: string,
  options: TransferOptions,
): Promise<Artifact> {
  const { registry, repository, tag, digest: asked } = parseReference(name)
  const ref: RemoteReference = {
    registry,
    repository,
    ...(asked === undefined ? { tag: tag ?? "latest" } : { digest: asked }),
  }
  const registries = await deps.registries()
  const admission = await registries.admission({ transport: "docker", ref })
  const source = await registries.open(options)
  const { descriptor, bytes } = await source.resolve(ref)
  await admission?.admit([descriptor.digest], source)
  const parsed = parseManifest(bytes, descriptor.mediaType, `manifest of ${name}`)
  if (parsed.kind === "index" || isImageConfig(parsed.manifest.config.mediaType))
    throw new Unsupported(`${name} is an image, not an artifact`, { hint: { do: "pull", image: name } })
  const { config, layers } = parsed.manifest
  await using lease = await deps.leases.open()
  for (const blob of [config, ...layers]) await fetchBlob(deps, lease, { source, ref, blob }, options)
  lease.addBlob(descriptor.digest)
  await deps.content.put(bytes)
  const artifact = {
    name:
      registry === "docker.io" && !name.startsWith("docker.io/")
        ? `docker.io/${repository}:${tag ?? "latest"}`
        : artifactName(name),
    digest: descriptor.digest,
    sizeBytes: layers.reduce((sum, { size }) => sum + size, 0),
    createdAt: new Date(),
  }
  records.put(artifact, [descriptor.digest, config.digest, ...layers.map(({ digest }) => digest)])
  return artifact
}

async function fetchBlob(
  { content }: ArtifactsDeps,
  lease: Lease,
  { source, ref, blob }: { source: RegistrySource; ref: RemoteReference; blob: Descriptor },
  { onProgress = noProgress, signal }: TransferOptions,
): Promise<void> {
  const id = shortDigest(blob.digest)
  lease.addBlob(blob.digest)
  if (content.has(blob.digest)) return onProgress({ id, stage: "exists" })
  await using ingest = await content.ingest(`artifact blob ${blob.digest}`, { signal })
  const fetched = await source.fetch(ref, blob, ingest.offset)
  if (fetched.offset !== ingest.offset) await ingest.truncate()
  for await (const chunk of fetched.bytes) {
    await ingest.write(chunk)
    onProgress({ id, stage: "downloading", current: ingest.offset, total: blob.size })
  }
  await ingest.commit({ digest: blob.digest, size: blob.size })
  onProgress({ id, stage: "downloaded" })
}

/** See `Artifacts.push`. */
export async function pushArtifact(
  deps: ArtifactsDeps,
  { name, digest }: Artifact,
  options: TransferOptions,
): Promise<Digest> {
  const to = parseReference(name)
  const { onProgress = noProgress, signal, signing, ...access } = options
  const registries = await deps.registries()
  const signer = signing && (await registries.signer(signing))
  const target = await registries.openTarget(to, { ...access, ...(signal !== undefined && { signal }) })
  const bytes = await deps.content.readAll(digest, MAX_MANIFEST_BYTES)
  const parsed = parseManifest(bytes, undefined, `manifest of ${name}`)
  const blobs = parsed.kind === "index" ? [] : [...parsed.manifest.layers, parsed.manifest.config]
  for (const blob of blobs) {
    const id = shortDigest(blob.digest)
    await target.upload(blob, (offset) => deps.content.read(blob.digest, { start: offset }), {
      onProgress: (current) => onProgress({ id, stage: "uploading", current, total: blob.size }),
    })
    onProgress({ id, stage: "uploaded" })
  }
  await target.putManifest(bytes, { mediaType: parsed.mediaType, digest, size: bytes.length }, to.tag ?? "latest")
  await signer?.sign({ tag: "latest", ...to }, digest, target)
  return digest
}
