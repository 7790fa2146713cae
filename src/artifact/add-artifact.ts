import { createReadStream, statSync } from "node:fs"
import { open } from "node:fs/promises"
import { basename } from "node:path"
import { AlreadyExists, InvalidArgument, NotFound } from "../base/errors.ts"
import { randomHex } from "../base/random-hex.ts"
import type { Lease } from "../content/content.ts"
import { parseDigest, type Digest } from "../spec/digest.ts"
import { MediaType, type Descriptor, type ImageManifest } from "../spec/oci-image.ts"
import type { AddArtifactOptions, Artifact } from "./artifact.ts"
import type { ArtifactsDeps } from "./deps.ts"
import { artifactName, type ArtifactRecords } from "./records.ts"

/** The annotation of a manifest with the time it was made (image-spec annotations.md): appending keeps it. */
const CREATED = "org.opencontainers.image.created"
/** The annotation of a layer with the name of its file (image-spec annotations.md). */
export const TITLE = "org.opencontainers.image.title"
const UNKNOWN_TYPE = "application/vnd.unknown.artifact.v1"
/** image-spec manifest.md, "Guidance for an Empty Descriptor" */
const EMPTY = { mediaType: "application/vnd.oci.empty.v1+json", bytes: Buffer.from("{}") }

/** See `Artifacts.add`. */
export async function addArtifact(
  deps: ArtifactsDeps,
  records: ArtifactRecords,
  name: string,
  options: AddArtifactOptions,
): Promise<Artifact> {
  const full = artifactName(name)
  const before = records.find(full)
  checkBefore(full, before, options)
  const old = options.append && before !== undefined ? await deps.manifest(before) : undefined
  await using lease = await deps.leases.open()
  for (const { digest } of old?.layers ?? []) lease.addBlob(digest)
  const added: Descriptor[] = []
  for (const file of options.files) added.push(await fileLayer(deps, lease, file, options))
  const layers = [...(old?.layers ?? []), ...added]
  checkTitles(layers)
  const config = await put(deps, lease, EMPTY.bytes)
  const createdAt = new Date()
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    artifactType: options.type ?? old?.artifactType ?? UNKNOWN_TYPE,
    config: { mediaType: EMPTY.mediaType, digest: config, size: EMPTY.bytes.length },
    layers,
    annotations: old?.annotations ?? { [CREATED]: createdAt.toISOString() },
  }
  const digest = await put(deps, lease, Buffer.from(JSON.stringify(manifest)))
  const sizeBytes = layers.reduce((sum, { size }) => sum + size, 0)
  const artifact = { name: full, digest, sizeBytes, createdAt }
  records.put(artifact, [digest, config, ...layers.map((layer) => layer.digest)])
  return artifact
}

function checkBefore(name: string, before: Artifact | undefined, { append, replace, type }: AddArtifactOptions): void {
  if (append && replace) throw new InvalidArgument("append and replace are mutually exclusive")
  if (append && before === undefined)
    throw new NotFound(`${name}: artifact does not exist`, { data: { object: "artifact", name } })
  if (append && type !== undefined) throw new InvalidArgument("append option is not compatible with type option")
  if (before !== undefined && !append && !replace)
    throw new AlreadyExists(`${name}: artifact already exists`, { data: { object: "artifact", name } })
}

function checkTitles(layers: readonly Descriptor[]): void {
  const titles = layers.map(({ annotations }) => annotations?.[TITLE])
  const twice = titles.find((title, index) => title !== undefined && titles.indexOf(title) !== index)
  if (twice !== undefined) throw new AlreadyExists(`${twice}: file already exists in artifact`)
}

/** Hashed, and stored, in one pass. */
async function fileLayer(
  { content }: ArtifactsDeps,
  lease: Lease,
  path: string,
  { fileType, annotations = {}, signal }: AddArtifactOptions,
): Promise<Descriptor> {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) throw new NotFound(`stat ${path}: no such file or directory`, { data: { path } })
  if (!stat.isFile()) throw new InvalidArgument(`"${path}" is not a regular file`)
  const { createHash } = await import("node:crypto")
  const hash = createHash("sha256")
  await using ingest = await content.ingest(`artifact ${randomHex(16)}`, { signal })
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    signal?.throwIfAborted()
    hash.update(chunk as Uint8Array)
    await ingest.write(chunk as Uint8Array)
  }
  const digest = parseDigest(`sha256:${hash.digest("hex")}`)
  lease.addBlob(digest)
  const { size } = await ingest.commit({ digest })
  const title = basename(path)
  return {
    mediaType: fileType ?? (await typeOf(path)),
    digest,
    size,
    annotations: { [TITLE]: title, ...annotations },
  }
}

async function put({ content }: ArtifactsDeps, lease: Lease, bytes: Uint8Array): Promise<Digest> {
  const { createHash } = await import("node:crypto")
  lease.addBlob(parseDigest(`sha256:${createHash("sha256").update(bytes).digest("hex")}`))
  return (await content.put(bytes)).digest
}

/** Of what Go's http.DetectContentType tells apart, as podman asks it (https://mimesniff.spec.whatwg.org), the common ones. */
async function typeOf(path: string): Promise<string> {
  await using file = await open(path, "r")
  const { buffer, bytesRead } = await file.read(Buffer.alloc(512), 0, 512, 0)
  const head = buffer.subarray(0, bytesRead)
  const found = SIGNATURES.find(([signature]) => head.subarray(0, signature.length).equals(signature))
  if (found !== undefined) return found[1]
  return head.some((byte) => byte < 9 || (byte > 13 && byte < 27) || (byte > 27 && byte < 32))
    ? "application/octet-stream"
    : "text/plain; charset=utf-8"
}

const SIGNATURES: readonly (readonly [Buffer, string])[] = [
  [Buffer.from("%PDF-"), "application/pdf"],
  [Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), "image/png"],
  [Buffer.from("\xff\xd8\xff", "latin1"), "image/jpeg"],
  [Buffer.from("GIF8"), "image/gif"],
  [Buffer.from("\x1f\x8b\x08", "latin1"), "application/x-gzip"],
  [Buffer.from("PK\x03\x04"), "application/zip"],
  [Buffer.from("<?xml"), "text/xml; charset=utf-8"],
]
