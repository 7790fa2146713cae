import { createHash } from "node:crypto"
import { promisify } from "node:util"
import { treeTar } from "../../archive/archive.ts"
import { throwIfAborted } from "../../base/cancel.ts"
import { crashPoint } from "../../base/crash-point.ts"
import { InvalidArgument, isSkiffError } from "../../base/errors.ts"
import { limiter } from "../../base/limiter.ts"
import { noProgress } from "../../base/progress.ts"
import { formatReference, parseReference } from "../../image/image.ts"
import type { Registries, RegistryTarget, RemoteReference } from "../../registry/registry.ts"
import { parseDigest, type Digest } from "../../spec/digest.ts"
import { MediaType, type Descriptor } from "../../spec/oci-image.ts"
import {
  LARGEST_PART_BYTES,
  MOST_PARTS,
  parseVolumeManifest,
  shortPart,
  VOLUME_CONFIG,
  volumeManifest,
  type VolumeConfig,
  type VolumePart,
} from "../../spec/volume-artifact.ts"
import { openRoot } from "../../sys/fs/confined.ts"
import { treeUsage } from "../../sys/fs/tree-usage.ts"
import { close } from "../../sys/libc.ts"
import type { PushedVolume, VolumePushOptions } from "../volume.ts"
import { Chunker } from "./chunker.ts"

const SMALLEST_AVERAGE = 2 * 1024 ** 2
/** On the way at once, each in memory. */
const PARALLEL_PARTS = 3

/** What is pushed. */
export interface PushSource {
  /** Host path of the files. */
  directory: string
  name: string
  labels: Record<string, string>
}

/**
 * Packs the files, cuts the archive by its content, and sends the parts that the tag's last push did not have. What it needs is in
 * memory: killed, nothing is left here, and the next push goes on with the parts that the registry has.
 */
export async function pushVolume(
  registries: Registries,
  source: PushSource,
  to: string,
  options: VolumePushOptions,
): Promise<PushedVolume> {
  const ref = destinationOf(to)
  const { signal, onProgress = noProgress } = options
  const known = await knownParts(registries, ref, options)
  const target = await registries.openTarget(ref, options)
  onProgress({ id: "", stage: "destination", subject: `${ref.registry}/${ref.repository}` })
  const averagePartBytes = await averageFor(source.directory, signal)
  const sender = new PartSender(target, known, options)
  for await (const part of partsOf(source.directory, averagePartBytes, signal)) await sender.add(part)
  const parts = await sender.finish()
  crashPoint("volume-push:parts-sent")
  const tarBytes = parts.reduce((sum, { bytes }) => sum + bytes, 0)
  const { name, labels } = source
  const config: VolumeConfig = { version: 1, name, labels, tarBytes, averagePartBytes }
  const configBytes = Buffer.from(JSON.stringify(config))
  const configDescriptor = { mediaType: VOLUME_CONFIG, digest: digestOf(configBytes), size: configBytes.length }
  await target.upload(configDescriptor, (offset) => once(configBytes.subarray(offset)))
  const manifest = volumeManifest({ config: configDescriptor, parts })
  const descriptor = { mediaType: MediaType.ociManifest, digest: digestOf(manifest), size: manifest.length }
  await target.putManifest(manifest, descriptor, ref.tag)
  const { sentParts, sentBytes } = sender
  return {
    reference: formatReference(ref),
    digest: descriptor.digest,
    parts: parts.length,
    sentParts,
    sentBytes,
    tarBytes,
  }
}

function destinationOf(text: string): RemoteReference & { tag: string } {
  const ref = parseReference(text)
  if (ref.digest !== undefined)
    throw new InvalidArgument(`cannot push to "${text}": the digest cannot be chosen`, { hint: "give a tag" })
  return { ...ref, tag: ref.tag ?? "latest" }
}

/** Of what the tag is now; none when there is nothing, or no volume. */
async function knownParts(
  registries: Registries,
  ref: RemoteReference,
  options: VolumePushOptions,
): Promise<Map<Digest, VolumePart>> {
  try {
    const { bytes } = await (await registries.open(options)).resolve(ref)
    const { parts } = parseVolumeManifest(bytes, formatReference(ref))
    return new Map(parts.map((part) => [part.digest, part]))
  } catch (error) {
    // a registry may say of a repository that is not there yet that nobody may read it
    const isNone = ["NotFound", "Unsupported", "DataLoss", "PermissionDenied"] as const
    if (isNone.some((code) => isSkiffError(error, code))) return new Map()
    throw error
  }
}

/** The same for a volume that has not changed its size by much: else no part would be found again. */
async function averageFor(directory: string, signal: AbortSignal | undefined): Promise<number> {
  const { bytes } = await treeUsage(directory, signal)
  let average = SMALLEST_AVERAGE
  while (bytes / average > MOST_PARTS / 2) average *= 2
  if (average * 4 <= LARGEST_PART_BYTES) return average
  throw new InvalidArgument(`the volume has ${bytes} bytes: more than an artifact of ${MOST_PARTS} parts holds`)
}

async function* partsOf(
  directory: string,
  averageBytes: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer, void> {
  const fd = openRoot(directory)
  try {
    const chunker = new Chunker(averageBytes)
    for await (const chunk of treeTar({ directory: fd, name: "." }, { as: ".", exact: true, signal }))
      yield* chunker.write(chunk)
    yield* chunker.end()
  } finally {
    close(fd)
  }
}

class PartSender {
  sentParts = 0
  sentBytes = 0
  readonly #target: RegistryTarget
  readonly #known: ReadonlyMap<Digest, VolumePart>
  readonly #options: VolumePushOptions
  readonly #limit = limiter(PARALLEL_PARTS)
  readonly #parts: Promise<VolumePart>[] = []
  /** Parts that are the same (many zeros) are sent once. */
  readonly #own = new Map<Digest, Promise<VolumePart>>()
  #failure: { error: unknown } | undefined

  constructor(target: RegistryTarget, known: ReadonlyMap<Digest, VolumePart>, options: VolumePushOptions) {
    this.#target = target
    this.#known = known
    this.#options = options
  }

  /** Waits while so many are on their way that no more is to be held in memory. Throws what an earlier one failed by. */
  async add(bytes: Buffer): Promise<void> {
    throwIfAborted(this.#options.signal, "the push of the volume")
    if (this.#failure !== undefined) throw this.#failure.error
    const digest = digestOf(bytes)
    const known = this.#known.get(digest)
    let part = this.#own.get(digest)
    if (part === undefined) {
      part = known === undefined ? this.#send(digest, bytes) : Promise.resolve(known)
      if (known !== undefined) this.#options.onProgress?.({ id: shortPart(known), stage: "exists-there" })
      part.catch((error: unknown) => (this.#failure ??= { error }))
      this.#own.set(digest, part)
    }
    this.#parts.push(part)
    // a place in the queue is a place in memory
    await this.#limit(() => Promise.resolve())
  }

  async finish(): Promise<VolumePart[]> {
    return await Promise.all(this.#parts)
  }

  #send(digest: Digest, bytes: Buffer): Promise<VolumePart> {
    return this.#limit(async () => {
      const { zstdCompress } = await import("node:zlib")
      const compressed = await promisify(zstdCompress)(bytes)
      const descriptor: Descriptor = {
        mediaType: "application/octet-stream",
        digest: digestOf(compressed),
        size: compressed.length,
      }
      const id = shortPart({ digest })
      const { onProgress = noProgress } = this.#options
      const uploaded = await this.#target.upload(descriptor, (offset) => once(compressed.subarray(offset)), {
        onProgress: (current) => onProgress({ id, stage: "uploading", current, total: compressed.length }),
      })
      if (uploaded.how === "uploaded") {
        this.sentParts++
        this.sentBytes += compressed.length
      }
      onProgress({ id, stage: uploaded.how === "uploaded" ? "uploaded" : "exists-there" })
      return { descriptor, digest, bytes: bytes.length }
    })
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield bytes
}

function digestOf(bytes: Uint8Array): Digest {
  return parseDigest(`sha256:${createHash("sha256").update(bytes).digest("hex")}`)
}
