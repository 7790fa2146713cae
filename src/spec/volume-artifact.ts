/**
 * A volume in a registry: an OCI artifact (image-spec manifest.md#guidelines-for-artifact-usage). Its layers, in order and each a zstd
 * frame, are one tar archive of the volume: `cat part-* | tar --zstd -x` is it too. The archive is cut where its content says, so
 * that of a volume that has changed a little most parts are the same.
 */
import * as v from "valibot"
import { DataLoss, Unsupported } from "../base/errors.ts"
import { isDigest, shortDigest, type Digest } from "./digest.ts"
import { MediaType, type Descriptor } from "./oci-image.ts"
import { absent, checkDocument, parseDocument } from "./parse-document.ts"

/** The `artifactType` of the manifest. */
const VOLUME_ARTIFACT = "application/vnd.skiff.volume.v1"
/** The media type of the config. */
export const VOLUME_CONFIG = "application/vnd.skiff.volume.config.v1+json"
const VOLUME_PART = "application/vnd.skiff.volume.part.v1.tar+zstd"
/** On each layer: digest and length of the part, uncompressed. */
const PART_KEY = "vnd.skiff.volume.part"
const TITLE_KEY = "org.opencontainers.image.title"

const MAX_MANIFEST_BYTES = 4 * 1024 ** 2
const MAX_CONFIG_BYTES = 1024 ** 2
/** Of which a manifest of 4 MiB holds the descriptors. */
export const MOST_PARTS = 10_000
/** No part is larger, uncompressed: it is held in memory. */
export const LARGEST_PART_BYTES = 128 * 1024 ** 2

/** A piece of the archive. */
export interface VolumePart {
  /** As it lies in the registry. */
  descriptor: Descriptor
  /** Uncompressed. */
  digest: Digest
  bytes: number
}

/** What the artifact's config says. */
export interface VolumeConfig {
  version: 1
  /** The volume's name where it was pushed. */
  name: string
  labels?: Record<string, string>
  /** Of the whole archive. */
  tarBytes: number
  averagePartBytes: number
}

/** What the manifest says. */
export interface VolumeArtifact {
  config: Descriptor
  parts: readonly VolumePart[]
}

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const descriptor = v.object({
  mediaType: v.string(),
  digest: v.custom<Digest>(isDigest, "expected sha256:<64 hex digits>"),
  size: count,
  annotations: absent(v.record(v.string(), v.string())),
})
const manifestSchema = v.object({
  schemaVersion: v.literal(2),
  mediaType: absent(v.literal(MediaType.ociManifest)),
  artifactType: absent(v.string()),
  config: descriptor,
  layers: v.pipe(v.array(descriptor), v.maxLength(MOST_PARTS, `more than ${MOST_PARTS} parts`)),
})
const configSchema = v.object({
  version: v.literal(1),
  name: v.string(),
  labels: absent(v.record(v.string(), v.string())),
  tarBytes: count,
  averagePartBytes: count,
})

/** The manifest, with the same bytes for the same parts. */
export function volumeManifest({ config, parts }: VolumeArtifact): Uint8Array {
  const layers = parts.map(({ descriptor: { digest, size }, digest: content, bytes }, index) => ({
    mediaType: VOLUME_PART,
    digest,
    size,
    annotations: {
      [PART_KEY]: `${content} ${bytes}`,
      [TITLE_KEY]: `part-${String(index).padStart(5, "0")}.tar.zst`,
    },
  }))
  const { ociManifest: mediaType } = MediaType
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, artifactType: VOLUME_ARTIFACT, config, layers }))
}

/** Throws Unsupported for what is no volume, DataLoss for one that is broken; `what` names it. */
export function parseVolumeManifest(bytes: Uint8Array, what: string): VolumeArtifact {
  const document = parseDocument(bytes, MAX_MANIFEST_BYTES, what)
  const type = typeof document.artifactType === "string" ? document.artifactType : undefined
  const config = document.config as { mediaType?: unknown } | undefined
  if (type !== VOLUME_ARTIFACT && config?.mediaType !== VOLUME_CONFIG)
    throw new Unsupported(`${what} is no volume`, {
      hint:
        document.manifests === undefined && type === undefined
          ? "it is an image: pull it as one"
          : "nothing else of a registry can become a volume",
    })
  const manifest = checkDocument(manifestSchema, document, what)
  return { config: manifest.config, parts: manifest.layers.map((layer, index) => partOf(layer, index, what)) }
}

function partOf(layer: v.InferOutput<typeof descriptor>, index: number, what: string): VolumePart {
  const [, digest, length] = /^(sha256:[0-9a-f]{64}) (\d{1,10})$/.exec(layer.annotations?.[PART_KEY] ?? "") ?? []
  if (layer.mediaType !== VOLUME_PART || !isDigest(digest))
    throw new DataLoss(`part ${index} of ${what} does not say what it is`)
  const bytes = Number(length)
  if (bytes === 0 || bytes > LARGEST_PART_BYTES || layer.size > 2 * LARGEST_PART_BYTES)
    throw new DataLoss(`part ${index} of ${what} has ${bytes} bytes, the limit is ${LARGEST_PART_BYTES}`)
  return { descriptor: layer as Descriptor, digest, bytes }
}

/** Throws DataLoss, also when the parts are not as long as it says. */
export function parseVolumeConfig(bytes: Uint8Array, parts: readonly VolumePart[], what: string): VolumeConfig {
  const config = checkDocument(configSchema, parseDocument(bytes, MAX_CONFIG_BYTES, what), what)
  const sum = parts.reduce((total, part) => total + part.bytes, 0)
  if (sum !== config.tarBytes) throw new DataLoss(`the parts of ${what} have ${sum} bytes, it says ${config.tarBytes}`)
  return config
}

/** `0123456789ab`: a part in a display. */
export function shortPart({ digest }: Pick<VolumePart, "digest">): string {
  return shortDigest(digest)
}
