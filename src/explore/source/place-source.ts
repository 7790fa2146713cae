import { decompressBounded } from "../../archive/archive.ts"
import type { Bytes } from "../../base/bytes.ts"
import { DataLoss, isSkiffError } from "../../base/errors.ts"
import { digestHex } from "../../spec/digest.ts"
import type { CopyOptions, OpenedImageAt } from "../../image/image.ts"
import type { Descriptor } from "../../spec/oci-image.ts"
import type { ExploreDeps } from "../deps.ts"
import type { OpenOptions } from "../explore.ts"
import type { ImageSourceOpened, SourceLayer } from "./source.ts"

/** An image in an archive, a layout, another store or a registry; nothing of it is recorded. Throws as `Images.copy`. */
export async function placeSource(deps: ExploreDeps, place: string, options: OpenOptions): Promise<ImageSourceOpened> {
  const { platform, source, signal } = options
  const at = await openAt(deps, place, {
    ...(platform !== undefined && { platform }),
    ...(source !== undefined && { source }),
    ...(signal !== undefined && { signal }),
  })
  const { layers, config, names, top, name } = at
  if (config.rootfs.diff_ids.length !== layers.length) {
    await at[Symbol.asyncDispose]()
    throw new DataLoss(`"${place}" has ${layers.length} layers, its config ${config.rootfs.diff_ids.length} of them`)
  }
  // what a docker-archive says of its layers nobody checks before it is loaded; others name them by digest
  const check = place.startsWith("docker-archive:") ? "noted" : "strict"
  return {
    name: place,
    tags: names.length > 0 ? names : name === "" ? [] : [name],
    id: configDigest(top.bytes) ?? top.descriptor.digest,
    config,
    layers: layers.map((descriptor, index) => layerOf(at, index, descriptor, check)),
    [Symbol.asyncDispose]: () => at[Symbol.asyncDispose](),
  }
}

/** What is called a docker-archive may be an OCI layout without Docker's manifest: dive's users write it so. */
async function openAt({ images }: ExploreDeps, place: string, options: CopyOptions): Promise<OpenedImageAt> {
  try {
    return await images.openAt(place, options)
  } catch (error) {
    if (!place.startsWith("docker-archive:") || !isSkiffError(error)) throw error
    try {
      return await images.openAt(place.replace("docker-archive:", "oci-archive:"), options)
    } catch {
      throw error
    }
  }
}

function layerOf(at: OpenedImageAt, index: number, descriptor: Descriptor, check: "noted" | "strict"): SourceLayer {
  const diffId = at.config.rootfs.diff_ids[index] ?? (descriptor.digest as SourceLayer["diffId"])
  const layer: SourceLayer = {
    diffId,
    digest: descriptor.digest,
    id: at.layerFiles?.[index]?.split("/")[0] ?? digestHex(descriptor.digest),
    tar: () => tarOf(at, index, descriptor),
    check,
    table: () => at.table(index),
  }
  // what is not compressed is its own archive
  if (descriptor.digest === diffId)
    layer.tarFrom = async (offset) => {
      const read = await at.read(index, offset)
      return read.offset === offset ? read.bytes : undefined
    }
  return layer
}

async function* tarOf(at: OpenedImageAt, index: number, descriptor: Descriptor): Bytes {
  yield* decompressBounded(bounded((await at.read(index)).bytes, descriptor), `layer ${index + 1}`)
}

async function* bounded(bytes: Bytes, { digest, size }: Descriptor): Bytes {
  let length = 0
  for await (const chunk of bytes) {
    length += chunk.length
    if (length > size) throw new DataLoss(`layer ${digest} has more than the ${size} bytes that its manifest says`)
    yield chunk
  }
  if (length < size) throw new DataLoss(`layer ${digest} has ${length} bytes, its manifest says ${size}`)
}

function configDigest(manifest: Uint8Array): SourceLayer["digest"] {
  const { config } = JSON.parse(Buffer.from(manifest).toString("utf8")) as { config?: Descriptor }
  return config?.digest
}
