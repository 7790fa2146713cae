import { DataLoss, FailedPrecondition, InvalidArgument, isSkiffError } from "../../base/errors.ts"
import { limiter } from "../../base/limiter.ts"
import type { OnProgress } from "../../base/progress.ts"
import { untilAborted, type Bytes } from "../../base/bytes.ts"
import { shortDigest, type Digest } from "../../spec/digest.ts"
import { MediaType, type Descriptor, type ImageManifest } from "../../spec/oci-image.ts"
import { MAX_INDEX_DEPTH, isImageConfig, parseManifest } from "../../spec/parse-manifest.ts"
import { digestOf } from "../documents.ts"
import { isEncrypted, refuseEncrypted } from "../encrypted-layers.ts"
import type { ResolvedManifest } from "../image.ts"
import { compressionOf, isInForm, withLayers } from "../layer-compressor.ts"
import { compressedBlob, type CopyForm } from "./compressed-blob.ts"
import type { CopySource } from "./copy-source.ts"
import type { CopyTarget, TravellingBlob } from "./copy-target.ts"

const PARALLEL_BLOBS = 4

/** How documents may change on their way. */
export interface CopyTreeOptions {
  format: "oci" | "docker" | undefined
  preserveDigests: boolean
  /** Of every layer; undefined: gzip for plain ones, where the target wants it. */
  form: CopyForm | undefined
  /** For layers that are compressed. */
  scratch: string
  onProgress: OnProgress
  signal: AbortSignal | undefined
}

/** Copies all below `from.top`, then itself. Gives it as it is there. */
export async function copyTree(
  from: CopySource,
  target: CopyTarget,
  options: CopyTreeOptions,
): Promise<ResolvedManifest> {
  const copy = new TreeCopy(from, target, options)
  if (options.preserveDigests && target.keepsNoManifest) throw mustChange(from)
  const top = await copy.document(from.top, 1, from.indexes ?? [])
  await target.commit(top)
  return top
}

/** What an index names; throws DataLoss when it is something else. */
export async function resolveChild({ source, ref, shown }: CopySource, entry: Descriptor): Promise<ResolvedManifest> {
  const { registry, repository } = ref
  const { bytes } = await source.resolve({ registry, repository, digest: entry.digest })
  if (bytes.length !== entry.size || digestOf(bytes) !== entry.digest)
    throw new DataLoss(`manifest ${entry.digest} of ${shown} is not what its index says`)
  const { mediaType, digest, size } = entry
  return { descriptor: { mediaType, digest, size }, bytes }
}

class TreeCopy {
  readonly #from: CopySource
  readonly #target: CopyTarget
  readonly #options: CopyTreeOptions
  readonly #limit = limiter(PARALLEL_BLOBS)
  /** As each blob is there: one file may be many layers, of many images. */
  readonly #blobs = new Map<Digest, Promise<Descriptor>>()

  constructor(from: CopySource, target: CopyTarget, options: CopyTreeOptions) {
    this.#from = from
    this.#target = target
    this.#options = options
  }

  /** Gives the document as it shall be there; all that it names is. `indexes`: those that led to it, the nearest first. */
  async document(document: ResolvedManifest, depth: number, indexes: readonly Digest[]): Promise<ResolvedManifest> {
    const { descriptor, bytes } = document
    const parsed = parseManifest(bytes, descriptor.mediaType, `manifest of ${this.#from.shown}`)
    const { mediaType } = parsed
    const given = { descriptor: { ...descriptor, mediaType }, bytes }
    const digests = [descriptor.digest, ...indexes]
    if (parsed.kind === "manifest") {
      await this.#from.admit?.(digests)
      return await this.#manifest(given, parsed.manifest)
    }
    if (this.#target.single || depth >= MAX_INDEX_DEPTH)
      throw new InvalidArgument(`${this.#from.shown} is of several platforms, and the destination holds one image`, {
        hint: "copy the image of one platform",
      })
    const entries: Descriptor[] = []
    for (const entry of parsed.index.manifests) {
      const child = await this.document(await resolveChild(this.#from, entry), depth + 1, digests)
      await this.#target.child(child)
      entries.push(child.descriptor)
    }
    return this.#index(given, entries)
  }

  /** As it is where all its entries are; else with what they have become. */
  #index(given: ResolvedManifest, entries: readonly Descriptor[]): ResolvedManifest {
    const format = this.#format()
    const type = format === "docker" ? MediaType.dockerList : MediaType.ociIndex
    const document = JSON.parse(Buffer.from(given.bytes).toString()) as { manifests: Descriptor[] }
    const isSame = entries.every(({ digest }, at) => digest === document.manifests[at]?.digest)
    if (isSame && (format === undefined || type === given.descriptor.mediaType)) return given
    const manifests = document.manifests.map((entry, at) => ({ ...entry, ...entries[at] }))
    return this.#changed({ ...document, mediaType: type, manifests }, type)
  }

  async #manifest(given: ResolvedManifest, manifest: ImageManifest): Promise<ResolvedManifest> {
    const isImage = isImageConfig(manifest.config.mediaType)
    const format = this.#format()
    const type = format && { oci: MediaType.ociManifest, docker: MediaType.dockerManifest }[format]
    const isInFormat = type === undefined || type === given.descriptor.mediaType
    if (!isInFormat && !isImage)
      throw new InvalidArgument(`${this.#from.shown} has an artifact in it, which cannot be in Docker's format`)
    const { form } = this.#options
    if (form !== undefined || !isInFormat || this.#target.keepsNoManifest)
      refuseEncrypted(manifest.layers, this.#from.shown)
    const mayCompress = this.#target.compresses === true && isImage
    const changes = isImage && manifest.layers.some((layer) => this.#formFor(layer, mayCompress) !== undefined)
    if (this.#options.preserveDigests && (!isInFormat || changes)) throw mustChange(this.#from)
    const [config, ...layers] = [manifest.config, ...manifest.layers]
    const sent = await Promise.all([
      this.#blob(config, undefined),
      ...layers.map((layer) => this.#blob(layer, isImage ? this.#formFor(layer, mayCompress) : undefined)),
    ])
    const isSame = sent.every(({ digest }, at) => digest === [config, ...layers][at]?.digest)
    if (isSame && isInFormat) return given
    const made = withLayers({ manifest, mediaType: given.descriptor.mediaType }, sent.slice(1), type)
    if (type !== undefined && made.mediaType !== type)
      throw new InvalidArgument("docker's format has no layers compressed by zstd", { hint: "copy it as OCI" })
    const { bytes, mediaType } = made
    return { bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length } }
  }

  /** What a layer is made into; undefined: it goes as it is. */
  #formFor(layer: Descriptor, mayCompress: boolean): CopyForm | undefined {
    if (isEncrypted(layer)) return undefined
    const { form } = this.#options
    if (form !== undefined) return isInForm(layer, form.compression) ? undefined : form
    return mayCompress && compressionOf(layer) === "none" ? { compression: "gzip" } : undefined
  }

  async #blob(blob: Descriptor, form: CopyForm | undefined): Promise<Descriptor> {
    // kept elsewhere by its maker, who does not want it copied
    if (blob.urls?.length) return blob
    const known = this.#blobs.get(blob.digest)
    if (known !== undefined) return await known
    const sending = this.#limit(() => this.#send(blob, form))
    this.#blobs.set(blob.digest, sending)
    return await sending
  }

  async #send(blob: Descriptor, form: CopyForm | undefined): Promise<Descriptor> {
    const { onProgress } = this.#options
    const id = shortDigest(blob.digest)
    onProgress({ id, stage: form === undefined ? "preparing" : "compressing" })
    const plain: TravellingBlob = { descriptor: blob, read: (offset) => this.#read(blob, offset) }
    await using undo = new AsyncDisposableStack()
    const blobThere = form === undefined ? plain : undo.use(await this.#formed(plain, form))
    const { descriptor } = blobThere
    const read = (offset: number) =>
      counted(blobThere.read(offset), (current) =>
        onProgress({ id, stage: "uploading", current: offset + current, total: descriptor.size }),
      )
    const isNew = await this.#target.blob({ descriptor, read })
    onProgress({ id, stage: isNew ? "uploaded" : "exists-there" })
    return descriptor
  }

  /** Without a table of contents where it has what none can tell. */
  async #formed(blob: TravellingBlob, form: CopyForm): Promise<TravellingBlob & AsyncDisposable> {
    const { scratch, signal } = this.#options
    try {
      return await compressedBlob(blob, form, scratch, signal)
    } catch (error) {
      if (form.compression !== "zstd:chunked" || !isSkiffError(error, "Unsupported")) throw error
      return await compressedBlob(blob, { ...form, compression: "zstd" }, scratch, signal)
    }
  }

  /** From `offset` on, also where the source begins sooner. */
  async *#read(blob: Descriptor, offset: number): Bytes {
    const { source, ref } = this.#from
    const fetched = await source.fetch(ref, blob, offset)
    let passed = fetched.offset
    for await (const chunk of untilAborted(fetched.bytes, this.#options.signal)) {
      const rest = chunk.subarray(Math.min(Math.max(offset - passed, 0), chunk.length))
      passed += chunk.length
      if (rest.length > 0) yield rest
    }
  }

  #format(): "oci" | "docker" | undefined {
    const { format = this.#target.format } = this.#options
    if (this.#target.format !== undefined && format !== this.#target.format)
      throw new InvalidArgument(`the destination holds images in the format ${this.#target.format} alone`)
    return format
  }

  #changed(document: object, mediaType: string): ResolvedManifest {
    if (this.#options.preserveDigests) throw mustChange(this.#from)
    const bytes = Buffer.from(JSON.stringify(document))
    return { bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length } }
  }
}

async function* counted(bytes: Bytes, report: (count: number) => void): Bytes {
  let count = 0
  for await (const chunk of bytes) {
    yield chunk
    report((count += chunk.length))
  }
}

function mustChange({ shown }: CopySource): FailedPrecondition {
  return new FailedPrecondition(`the manifest of ${shown} would have to change, and with it its digest`, {
    hint: "copy it without keeping digests, or to a registry or a dir:",
  })
}
