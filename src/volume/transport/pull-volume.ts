import { createHash } from "node:crypto"
import { statfsSync } from "node:fs"
import { promisify } from "node:util"
import { applyLayer, LAYER_LIMITS } from "../../archive/archive.ts"
import type { Bytes } from "../../base/bytes.ts"
import { DataLoss, InvalidArgument, isSkiffError, Unavailable } from "../../base/errors.ts"
import { noProgress } from "../../base/progress.ts"
import { formatSize } from "../../base/sizes.ts"
import { formatReference, parseReference } from "../../image/image.ts"
import type { Registries, RegistrySource, RemoteReference } from "../../registry/registry.ts"
import type { Digest } from "../../spec/digest.ts"
import type { Descriptor } from "../../spec/oci-image.ts"
import {
  parseVolumeConfig,
  parseVolumeManifest,
  shortPart,
  type VolumeConfig,
  type VolumePart,
} from "../../spec/volume-artifact.ts"
import { rootlessUid } from "../../sys/fs/paths.ts"
import type { VolumePullOptions } from "../volume.ts"

const MAX_CONFIG_BYTES = 1024 ** 2
/** Fetched before they are asked for, each in memory. */
const AHEAD = 2
const TRIES = 3
const MOST_FILES = 10_000_000

/** A volume in a registry, of which nothing but its documents has been fetched. */
export interface RemoteVolume {
  reference: string
  digest: Digest
  config: VolumeConfig
  /** Makes its files in the empty directory. Throws DataLoss, InvalidArgument and FailedPrecondition for what is hostile, by name. */
  extract(directory: string): Promise<{ files: number }>
}

/** Looks a volume up. Throws NotFound, Unsupported for what is none, InvalidArgument for one that looks like an attack. */
export async function findRemoteVolume(
  registries: Registries,
  text: string,
  options: VolumePullOptions,
): Promise<RemoteVolume> {
  const ref: RemoteReference = { tag: "latest", ...parseReference(text) }
  const admission = await registries.admission({ transport: "docker", ref })
  const source = await registries.open(options)
  const { bytes, descriptor } = await source.resolve(ref)
  await admission?.admit([descriptor.digest], source)
  const what = formatReference(ref)
  const { config: configDescriptor, parts } = parseVolumeManifest(bytes, what)
  if (configDescriptor.size > MAX_CONFIG_BYTES)
    throw new DataLoss(`the config of ${what} has ${configDescriptor.size} bytes, the limit is ${MAX_CONFIG_BYTES}`)
  const blobs = new Blobs(source, ref, options.signal)
  const config = parseVolumeConfig(await blobs.whole(configDescriptor), parts, what)
  refuseBomb(config, parts, what)
  return {
    reference: what,
    digest: descriptor.digest,
    config,
    async extract(directory) {
      refuseFullDisk(directory, config)
      const archive = archiveOf(blobs, parts, options)
      const devices = rootlessUid() === undefined
      const limits = { entries: MOST_FILES, totalBytes: Infinity, expansionFreeBytes: LAYER_LIMITS.expansionFreeBytes }
      const { entries } = await applyLayer(archive, directory, { exact: { devices }, limits, signal: options.signal })
      return { files: entries }
    },
  }
}

/** What is said of sizes is checked as it comes; here it is whether that much may come of so little. */
function refuseBomb({ tarBytes }: VolumeConfig, parts: readonly VolumePart[], what: string): void {
  const { expansionRatio, expansionFreeBytes } = LAYER_LIMITS
  // parts that are the same are stored once, and count as often as they are fetched
  const compressed = parts.reduce((sum, { descriptor }) => sum + descriptor.size, 0)
  if (tarBytes > Math.max(expansionFreeBytes, compressed * expansionRatio))
    throw new InvalidArgument(`${what} grows from ${formatSize(compressed)} to ${formatSize(tarBytes)}`, {
      hint: "what expands so is taken for an attack on the disk",
    })
}

function refuseFullDisk(directory: string, { tarBytes }: VolumeConfig): void {
  const { bavail, bsize } = statfsSync(directory)
  if (tarBytes > bavail * bsize)
    throw new Unavailable(`the volume needs ${formatSize(tarBytes)}, and ${formatSize(bavail * bsize)} are free`, {
      hint: { do: "freeSpace" },
    })
}

/** The parts, one after the other; the next are fetched meanwhile. */
async function* archiveOf(
  blobs: Blobs,
  parts: readonly VolumePart[],
  { onProgress = noProgress }: VolumePullOptions,
): Bytes {
  const coming: Promise<Buffer>[] = []
  const fetch = (part: VolumePart): Promise<Buffer> => {
    onProgress({ id: shortPart(part), stage: "downloading", total: part.descriptor.size })
    const fetched = uncompressed(blobs, part)
    fetched.catch(() => {}) // seen when its turn comes, if it does
    return fetched
  }
  for (const [index, part] of parts.entries()) {
    while (coming.length <= AHEAD && index + coming.length < parts.length)
      coming.push(fetch(parts[index + coming.length] ?? part))
    const bytes = await coming.shift()
    if (bytes === undefined) return
    yield bytes
    onProgress({ id: shortPart(part), stage: "added" })
  }
}

/** One part, checked before anything is made of it, and after. Throws DataLoss. */
async function uncompressed(blobs: Blobs, { descriptor, digest, bytes: length }: VolumePart): Promise<Buffer> {
  const compressed = await blobs.whole(descriptor)
  const { zstdDecompress } = await import("node:zlib")
  let bytes: Buffer
  try {
    bytes = await promisify(zstdDecompress)(compressed, { maxOutputLength: length })
  } catch (cause) {
    throw new DataLoss(`the part ${digest} is damaged, or longer than the ${length} bytes that it says`, { cause })
  }
  const found = sha256(bytes)
  if (found !== digest) throw new DataLoss(`the part ${digest} has digest ${found} when it is decompressed`)
  return bytes
}

class Blobs {
  readonly #source: RegistrySource
  readonly #ref: RemoteReference
  readonly #signal: AbortSignal | undefined

  constructor(source: RegistrySource, ref: RemoteReference, signal: AbortSignal | undefined) {
    this.#source = source
    this.#ref = ref
    this.#signal = signal
  }

  /** A small blob in memory, of the size and digest that its descriptor says. A line that was cut is taken up again. */
  async whole(descriptor: Descriptor): Promise<Buffer> {
    const held: Uint8Array[] = []
    let size = 0
    for (let tries = 1; ; tries++) {
      try {
        const { offset, bytes } = await this.#source.fetch(this.#ref, descriptor, size)
        if (offset !== size) [size, held.length] = [0, 0]
        for await (const chunk of bytes) {
          held.push(Uint8Array.from(chunk))
          size += chunk.length
          if (size > descriptor.size) throw tooLong(descriptor)
        }
        break
      } catch (error) {
        if (tries === TRIES || this.#signal?.aborted || !isSkiffError(error, "Unavailable")) throw error
      }
    }
    const whole = Buffer.concat(held)
    const found = sha256(whole)
    if (found !== descriptor.digest || whole.length !== descriptor.size)
      throw new DataLoss(`the bytes of ${descriptor.digest} have digest ${found}`, { hint: "fetch it again" })
    return whole
  }
}

function tooLong({ digest, size }: Descriptor): DataLoss {
  return new DataLoss(`the registry sends more than the ${size} bytes of ${digest}`)
}

function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`
}
