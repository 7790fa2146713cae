import { createHash, randomUUID } from "node:crypto"
import { compress, decompress } from "../archive/archive.ts"
import { untilAborted } from "../base/bytes.ts"
import { DataLoss } from "../base/errors.ts"
import type { Bytes, Ingest, Lease } from "../content/content.ts"
import { parseDigest, type Digest } from "../spec/digest.ts"
import { MediaType, type Descriptor, type ImageManifest } from "../spec/oci-image.ts"
import { CompressedLayers } from "./compressed-layers.ts"
import type { LayerForm } from "./image.ts"
import type { ImagesDeps } from "./deps.ts"

/** One layer, on its way out. */
export interface CompressOptions {
  /** The layer's bytes; default: of its blob in the store. */
  read?(): Bytes
  /** Whether the registry has this very blob: it need not be made then. */
  isThere(descriptor: Descriptor): Promise<boolean>
  /** Bytes of the layer taken so far. */
  onProgress(taken: number): void
  signal?: AbortSignal | undefined
}

/**
 * Brings layers into the form in which they travel: those that are compressed stay byte for byte what they are, unless
 * another form is asked for every layer; plain ones (of our builds) are compressed. What was made once is known by its digest,
 * so that a second push looks at the registry before it compresses again.
 */
export class LayerCompressor {
  readonly #deps: ImagesDeps
  readonly #lease: Lease
  readonly #form: LayerForm
  readonly #known: CompressedLayers

  constructor(deps: ImagesDeps, lease: Lease, form: LayerForm = { compression: "gzip" }) {
    this.#deps = deps
    this.#lease = lease
    this.#form = form
    this.#known = new CompressedLayers(deps.db)
  }

  async layer(layer: Descriptor, options: CompressOptions): Promise<Descriptor> {
    const is = compressionOf(layer)
    const { compression: wanted, level, every = false } = this.#form
    if (is === wanted || (is !== "none" && !every)) return layer
    const mediaType = layerType(layer.mediaType, wanted)
    const kind = level === undefined ? wanted : `${wanted}-${level}`
    const known = this.#known.find(layer.digest, kind)
    if (known !== undefined) {
      this.#lease.addBlob(known.digest)
      if (this.#deps.content.has(known.digest) || (await options.isThere({ mediaType, ...known })))
        return { mediaType, ...known }
    }
    await using ingest = await this.#deps.content.ingest(`compressed-${randomUUID()}`)
    try {
      const made = await this.#compress(layer, ingest, options)
      this.#known.put(layer.digest, kind, made)
      return { mediaType, ...made }
    } catch (error) {
      await ingest.discard()
      throw error
    }
  }

  /** Throws DataLoss when the bytes are not the layer's: nothing may go by the name of others. */
  async #compress(
    layer: Descriptor,
    ingest: Ingest,
    {
      read = () => this.#deps.content.read(layer.digest, { start: 0, reuse: true }),
      onProgress,
      signal,
    }: CompressOptions,
  ): Promise<{ digest: Digest; size: number }> {
    const [taken, made] = [createHash("sha256"), createHash("sha256")]
    let [takenBytes, size] = [0, 0]
    async function* taking(): Bytes {
      for await (const chunk of untilAborted(read(), signal)) {
        taken.update(chunk)
        yield chunk
        onProgress((takenBytes += chunk.length))
      }
    }
    const { compression, level } = this.#form
    const plain = decompress(taking())
    for await (const chunk of compression === "none" ? plain : compress(plain, compression, level)) {
      made.update(chunk)
      size += chunk.length
      await ingest.write(chunk)
    }
    const is = `sha256:${taken.digest("hex")}`
    if (is !== layer.digest) throw new DataLoss(`the bytes of layer ${layer.digest} have digest ${is}`)
    const digest = parseDigest(`sha256:${made.digest("hex")}`)
    this.#lease.addBlob(digest)
    await ingest.commit({ digest, size })
    return { digest, size }
  }
}

/** How the media type says a layer is compressed. */
export function compressionOf({ mediaType }: Descriptor): LayerForm["compression"] {
  if (/[.+]gzip$/.test(mediaType)) return "gzip"
  return /[.+]zstd$/.test(mediaType) ? "zstd" : "none"
}

/** Docker's own types know no zstd: such a layer is OCI's. */
function layerType(type: string, compression: LayerForm["compression"]): string {
  if (compression === "zstd") return MediaType.ociLayerZstd
  const isDocker = type.startsWith("application/vnd.docker.")
  if (compression === "none") return isDocker ? MediaType.dockerLayer : MediaType.ociLayer
  return isDocker ? MediaType.dockerLayerGzip : MediaType.ociLayerGzip
}

/** A manifest of the same image with its layers in another form. The config keeps its bytes, and with them the image its id. */
export function withLayers(
  { manifest, mediaType }: { manifest: ImageManifest; mediaType: string },
  layers: readonly Descriptor[],
  wanted: string = mediaType,
): { bytes: Uint8Array; mediaType: string } {
  const isDocker = wanted === MediaType.dockerManifest && layers.every((layer) => compressionOf(layer) !== "zstd")
  const type = isDocker ? MediaType.dockerManifest : MediaType.ociManifest
  const document = {
    ...manifest,
    mediaType: type,
    config: { ...manifest.config, mediaType: isDocker ? MediaType.dockerConfig : MediaType.ociConfig },
    layers: layers.map((layer) => ({ ...layer, mediaType: isDocker ? dockerType(layer) : ociType(layer) })),
  }
  return { bytes: Buffer.from(JSON.stringify(document)), mediaType: type }
}

/** Layers that are kept elsewhere have types of their own, and keep them. */
function dockerType(layer: Descriptor): string {
  if (layer.urls !== undefined) return layer.mediaType
  return compressionOf(layer) === "none" ? MediaType.dockerLayer : MediaType.dockerLayerGzip
}

function ociType(layer: Descriptor): string {
  return { gzip: MediaType.ociLayerGzip, zstd: MediaType.ociLayerZstd, none: MediaType.ociLayer }[compressionOf(layer)]
}
