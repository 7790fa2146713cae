import { createHash } from "node:crypto"
import { detectCompression, type ArchiveFiles } from "../../archive/archive.ts"
import { DataLoss, NotFound, Unsupported } from "../../base/errors.ts"
import { limiter } from "../../base/limiter.ts"
import type { Bytes } from "../../base/bytes.ts"
import {
  MAX_ARCHIVE_MANIFEST_BYTES,
  parseArchiveManifest,
  type ArchiveManifestEntry,
} from "../../spec/docker/archive-manifest.ts"
import { digestHex, parseDigest, shortDigest, type DiffId, type Digest } from "../../spec/digest.ts"
import { MediaType, type Descriptor, type ImageManifest } from "../../spec/oci-image.ts"
import { MAX_CONFIG_BYTES, parseImageConfig } from "../../spec/parse-image-config.ts"
import type { ImageSource } from "../image.ts"
import type { ArchivedImage } from "./archived-image.ts"
import { readSmall } from "./read-small.ts"

const MAGIC_BYTES = 6
const PARALLEL_LAYERS = 3

/** What is here already, and how lines are named. */
export interface DockerArchiveOptions {
  /** Ids of images that are here: their layers are not looked at again. */
  isKnown(id: Digest): boolean
  /** Progress lines of layers by their blobs, which become those by their diff ids. */
  lines: Map<string, string>
}

/**
 * The images of a docker archive: `docker save` of any age since 1.10, podman, kaniko, bazel. It has configs and layers but
 * no manifests, so each image gets one of Docker's, of the layers as they are: plain ones are compressed when they are pushed.
 */
export async function imagesOfDockerArchive(
  files: ArchiveFiles,
  options: DockerArchiveOptions,
): Promise<ArchivedImage[]> {
  const entries = parseArchiveManifest(await readSmall(files, "manifest.json", MAX_ARCHIVE_MANIFEST_BYTES))
  const images: ArchivedImage[] = []
  for (const entry of entries) images.push(await imageOf(files, entry, options))
  return images
}

async function imageOf(
  files: ArchiveFiles,
  { config: configName, layers, names }: ArchiveManifestEntry,
  options: DockerArchiveOptions,
): Promise<ArchivedImage> {
  const bytes = await readSmall(files, configName, MAX_CONFIG_BYTES)
  const id = digestOf(bytes)
  checkName(configName, id)
  if (options.isKnown(id)) return { known: id, names }
  const { rootfs } = parseImageConfig(bytes, `config "${configName}" of the archive`)
  if (rootfs.diff_ids.length !== layers.length)
    throw new DataLoss(`"${configName}" has ${rootfs.diff_ids.length} layers, manifest.json ${layers.length}`)
  const source = new DockerArchiveSource(files)
  source.add(id, configName)
  const limit = limiter(PARALLEL_LAYERS)
  const descriptors = await Promise.all(
    layers.map((name, index) => limit(() => layerOf(files, name, rootfs.diff_ids[index], source, options.lines))),
  )
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: MediaType.dockerManifest,
    config: { mediaType: MediaType.dockerConfig, digest: id, size: bytes.length },
    layers: descriptors,
  }
  const manifestBytes = Buffer.from(JSON.stringify(manifest))
  const descriptor = {
    mediaType: MediaType.dockerManifest,
    digest: digestOf(manifestBytes),
    size: manifestBytes.length,
  }
  return { source, names, layerFiles: layers, top: { descriptor, bytes: manifestBytes } }
}

/** Archives name their configs by digest; one that says so must be right (CVE-2014-9358). */
function checkName(name: string, id: Digest): void {
  const said = /(?:^|\/)([0-9a-f]{64})(?:\.json)?$/.exec(name)?.[1]
  if (said !== undefined && said !== digestHex(id))
    throw new DataLoss(`the config "${name}" of the archive has digest ${id}`, { hint: "do not trust this archive" })
}

/** The layer as it will be kept: as it is where it is compressed already, else compressed now. */
async function layerOf(
  files: ArchiveFiles,
  name: string,
  diffId: DiffId | undefined,
  source: DockerArchiveSource,
  lines: Map<string, string>,
): Promise<Descriptor> {
  if (diffId === undefined) throw new DataLoss(`layer "${name}" of the archive has no diff id`)
  const size = files.size(name)
  const compression = detectCompression(await headOf(files, name))
  const id = shortDigest(diffId)
  if (compression === "xz" || compression === "bzip2")
    throw new Unsupported(
      `layer "${name}" of the archive is compressed with ${compression}, which registries do not accept`,
      {
        hint: "compress it with gzip or zstd, or not at all",
      },
    )
  if (compression === "none") {
    source.add(diffId, name)
    return { mediaType: MediaType.dockerLayer, digest: diffId, size }
  }
  const hash = createHash("sha256")
  for await (const chunk of files.read(name, 0, { reuse: true })) hash.update(chunk)
  const digest = parseDigest(`sha256:${hash.digest("hex")}`)
  source.add(digest, name)
  lines.set(shortDigest(digest), id)
  const mediaType = compression === "gzip" ? MediaType.dockerLayerGzip : MediaType.ociLayerZstd
  return { mediaType, digest, size }
}

async function headOf(files: ArchiveFiles, name: string): Promise<Uint8Array> {
  for await (const chunk of files.read(name, 0, { end: MAGIC_BYTES })) return chunk
  return new Uint8Array()
}

class DockerArchiveSource implements ImageSource {
  readonly #files: ArchiveFiles
  readonly #names = new Map<Digest, string>()

  constructor(files: ArchiveFiles) {
    this.#files = files
  }

  add(digest: Digest, name: string): void {
    this.#names.set(digest, name)
  }

  async resolve(): ReturnType<ImageSource["resolve"]> {
    throw new NotFound("a docker archive has no manifests")
  }

  async fetch(_: unknown, { digest }: Descriptor, offset = 0): ReturnType<ImageSource["fetch"]> {
    return { offset, bytes: this.#files.read(this.#name(digest), offset) }
  }

  readAgain({ digest }: Descriptor): Bytes {
    return this.#files.read(this.#name(digest), 0, { reuse: true })
  }

  #name(digest: Digest): string {
    const name = this.#names.get(digest)
    if (name === undefined) throw new NotFound(`the archive has no blob ${digest}`)
    return name
  }
}

function digestOf(bytes: Uint8Array): Digest {
  return parseDigest(`sha256:${createHash("sha256").update(bytes).digest("hex")}`)
}
