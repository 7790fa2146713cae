import { MAX_CONFIG_BYTES, parseImageConfig } from "../../spec/parse-image-config.ts"
import { chunkedFiles, chunkedLayer, type ListedFile } from "../../archive/archive.ts"
import { DataLoss, isSkiffError, NotFound } from "../../base/errors.ts"
import { parseManifest } from "../../spec/parse-manifest.ts"
import type { ImagesDeps } from "../deps.ts"
import type { Descriptor } from "../../spec/oci-image.ts"
import type { CopyOptions, ImageAt, ImageSource, OpenedImageAt } from "../image.ts"
import type { ImageRecords } from "../records.ts"
import { formatReference, type Reference } from "../reference.ts"
import { openCopySource, type CopySource } from "./copy-source.ts"
import { checked } from "./directory-blobs.ts"
import { oneImage } from "./one-image.ts"
import { parsePlace } from "./place.ts"

/** See `Images.lookAt`. */
export async function lookAt(
  deps: ImagesDeps,
  records: ImageRecords,
  text: string,
  options: CopyOptions = {},
): Promise<ImageAt> {
  await using opened = await openPlace(deps, records, text, options)
  const { name, top, layers, configBytes, config } = opened
  return { name, top, layers, configBytes, config }
}

/** See `Images.openAt`. Its layers will be read: it is held against policy.json as an image that comes in. */
export async function openAt(
  deps: ImagesDeps,
  records: ImageRecords,
  text: string,
  options: CopyOptions = {},
): Promise<OpenedImageAt> {
  return await openPlace(deps, records, text, options, ({ admit, top, indexes = [] }) =>
    admit?.([top.descriptor.digest, ...indexes]),
  )
}

async function openPlace(
  deps: ImagesDeps,
  records: ImageRecords,
  text: string,
  options: CopyOptions,
  admit?: (one: CopySource) => Promise<void> | undefined,
): Promise<OpenedImageAt> {
  await using undo = new AsyncDisposableStack()
  const place = parsePlace(text)
  const from = await openCopySource(deps, records, place, { ...options, all: true }, undo)
  const one = await oneImage(from, options)
  await admit?.(one)
  const { source, ref, top, shown } = one
  const parsed = parseManifest(top.bytes, top.descriptor.mediaType, `manifest of ${shown}`)
  if (parsed.kind === "index") throw new Error("unreachable: one image was chosen")
  const { config, layers } = parsed.manifest
  if (config.size > MAX_CONFIG_BYTES) throw new DataLoss(`the config of ${shown} has ${config.size} bytes`)
  const configBytes = Buffer.concat(
    await Array.fromAsync(checked((await source.fetch(ref, config)).bytes, config), copied),
  )
  const parsedConfig = parseImageConfig(configBytes, `config of ${shown}`)
  const { registry, repository } = ref
  const kept = undo.move()
  return {
    name: place.kind === "docker" ? formatReference({ registry, repository }) : "",
    top: from.top,
    layers,
    configBytes,
    config: parsedConfig,
    names: from.names ?? [],
    ...(from.layerFiles !== undefined && { layerFiles: from.layerFiles }),
    async read(layer, offset = 0) {
      const descriptor = layers[layer]
      if (descriptor === undefined) throw new NotFound(`${shown} has no layer ${layer}`)
      if (offset === 0 && source.readAgain !== undefined) return { offset, bytes: source.readAgain(descriptor) }
      return await source.fetch(ref, descriptor, offset)
    },
    table: async (layer) => await tableOf(source, ref, layers[layer]),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

async function tableOf(
  source: ImageSource,
  ref: Reference,
  layer: Descriptor | undefined,
): Promise<readonly ListedFile[] | undefined> {
  const chunked = chunkedLayer(layer?.annotations)
  const fetchRange = source.fetchRange?.bind(source)
  if (layer === undefined || chunked === undefined || fetchRange === undefined) return undefined
  try {
    return await chunkedFiles(chunked, layer.size, async (span) => {
      const bytes = await fetchRange(ref, layer, span)
      if (bytes === undefined) throw new DataLoss("the registry gives whole blobs alone")
      const parts: Uint8Array[] = []
      let size = 0
      for await (const chunk of bytes) {
        if ((size += chunk.length) > span.end - span.start)
          throw new DataLoss("a part of the layer is larger than was asked for")
        parts.push(copied(chunk))
      }
      return Buffer.concat(parts)
    })
  } catch (error) {
    // the layer is read whole, which says what is wrong with it
    if (isSkiffError(error, "DataLoss")) return undefined
    throw error
  }
}

/** Chunks are their reader's to look at, not to keep. */
function copied(chunk: Uint8Array): Uint8Array {
  return new Uint8Array(chunk)
}
