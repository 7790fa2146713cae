import { createHash, randomUUID } from "node:crypto"
import { chunkedLayer, chunkLayer, compress, decompress, type ChunkedMade } from "../archive/archive.ts"
import { untilAborted } from "../base/bytes.ts"
import { DataLoss, isSkiffError } from "../base/errors.ts"
import type { Bytes, Ingest, Lease } from "../content/content.ts"
import { log } from "../base/log.ts"
import { parseDigest, type DiffId } from "../spec/digest.ts"
import { MediaType, type Descriptor, type ImageManifest } from "../spec/oci-image.ts"
import { CompressedLayers, type CompressedLayer } from "./compressed-layers.ts"
import { isEncrypted } from "./encrypted-layers.ts"
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

  /** As `made`, of forms that leave the diff id as it is. */
  async layer(layer: Descriptor, options: CompressOptions): Promise<Descriptor> {
    return (await this.made(layer, options)).layer
  }

  async made(layer: Descriptor, options: CompressOptions): Promise<MadeLayer> {
    const { compression: wanted, level, every = false } = this.#form
    const is = compressionOf(layer)
    if (isInForm(layer, wanted) || (is !== "none" && !every)) return { layer }
    try {
      return await this.#formed(layer, { compression: wanted, level }, options)
    } catch (error) {
      const plain = { "zstd:chunked": "zstd", estargz: "gzip" }[wanted as string] as "gzip" | "zstd" | undefined
      if (plain === undefined || !isSkiffError(error, "Unsupported")) throw error
      log.warn("the layer travels without a table of contents", { layer: layer.digest, why: error.message })
      return is === plain ? { layer } : await this.#formed(layer, { compression: plain, level }, options)
    }
  }

  async #formed(layer: Descriptor, form: LayerForm, options: CompressOptions): Promise<MadeLayer> {
    const mediaType = layerType(layer.mediaType, form.compression)
    const kind = form.level === undefined ? form.compression : `${form.compression}-${form.level}`
    const as = ({ digest, size, annotations, diffId }: CompressedLayer): MadeLayer => ({
      layer: { mediaType, digest, size, ...(annotations === undefined ? {} : { annotations }) },
      ...(diffId === undefined ? {} : { diffId }),
    })
    const known = this.#known.find(layer.digest, kind)
    if (known !== undefined) {
      this.#lease.addBlob(known.digest)
      if (this.#deps.content.has(known.digest) || (await options.isThere(as(known).layer))) return as(known)
    }
    await using ingest = await this.#deps.content.ingest(`compressed-${randomUUID()}`)
    try {
      const made = await this.#compress(layer, form, ingest, options)
      this.#known.put(layer.digest, kind, made)
      return as(made)
    } catch (error) {
      await ingest.discard()
      throw error
    }
  }

  /** Throws DataLoss when the bytes are not the layer's: nothing may go by the name of others. */
  async #compress(
    layer: Descriptor,
    { compression, level }: LayerForm,
    ingest: Ingest,
    {
      read = () => this.#deps.content.read(layer.digest, { start: 0, reuse: true }),
      onProgress,
      signal,
    }: CompressOptions,
  ): Promise<CompressedLayer> {
    const [taken, made] = [createHash("sha256"), createHash("sha256")]
    let [takenBytes, size] = [0, 0]
    async function* taking(): Bytes {
      for await (const chunk of untilAborted(read(), signal)) {
        taken.update(chunk)
        yield chunk
        onProgress((takenBytes += chunk.length))
      }
    }
    const plain = decompress(taking())
    let table: ChunkedMade | undefined
    const formed = (): Bytes => {
      if (compression === "none") return plain
      if (compression === "gzip" || compression === "zstd") return compress(plain, compression, level)
      return chunkLayer(plain, compression, { level, onEnd: (known) => (table = known) })
    }
    for await (const chunk of formed()) {
      made.update(chunk)
      size += chunk.length
      await ingest.write(chunk)
    }
    const is = `sha256:${taken.digest("hex")}`
    if (is !== layer.digest) throw new DataLoss(`the bytes of layer ${layer.digest} have digest ${is}`)
    const digest = parseDigest(`sha256:${made.digest("hex")}`)
    this.#lease.addBlob(digest)
    await ingest.commit({ digest, size })
    return { digest, size, ...table }
  }
}

/** A layer in the form that was asked for. */
export interface MadeLayer {
  layer: Descriptor
  /** Where the form made another archive of it. */
  diffId?: DiffId
}

/** How the media type says a layer is compressed. */
export function compressionOf({ mediaType }: Descriptor): "gzip" | "zstd" | "none" {
  if (/[.+]gzip$/.test(mediaType)) return "gzip"
  return /[.+]zstd$/.test(mediaType) ? "zstd" : "none"
}

/** The form that a layer has. */
export function formOf(layer: Descriptor): LayerForm["compression"] {
  return tableOf(layer) ?? compressionOf(layer)
}

/** Whether it need not be made anew: with a table of contents it is also what it is without. */
export function isInForm(layer: Descriptor, compression: LayerForm["compression"]): boolean {
  return compressionOf(layer) === compression || tableOf(layer) === compression
}

function tableOf(layer: Descriptor): "zstd:chunked" | "estargz" | undefined {
  const format = chunkedLayer(layer.annotations)?.format
  return compressionOf(layer) === (format === "estargz" ? "gzip" : "zstd") ? format : undefined
}

/** Docker's own types know no zstd: such a layer is OCI's. */
export function layerType(type: string, compression: LayerForm["compression"]): string {
  if (compression === "zstd" || compression === "zstd:chunked") return MediaType.ociLayerZstd
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
  if (isEncrypted(layer)) return layer.mediaType
  return { gzip: MediaType.ociLayerGzip, zstd: MediaType.ociLayerZstd, none: MediaType.ociLayer }[compressionOf(layer)]
}
