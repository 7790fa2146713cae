import { InvalidArgument } from "../../base/errors.ts"
import type { Bytes } from "../../base/bytes.ts"
import { encodeTarHeader, TAR_END_BYTES, tarPadding } from "../../archive/archive.ts"
import type { ImagesDeps } from "../open-images.ts"
import { holdImage, type HeldManifest } from "../held-manifest.ts"
import type { Image, SaveFormat } from "../image.ts"
import type { ImageRecords } from "../records.ts"
import type { Lease } from "../../content/content.ts"
import type { Descriptor } from "../../spec/oci-image.ts"
import { compressionOf, LayerCompressor, withLayers, type LayerCompression } from "../layer-compressor.ts"
import { dockerArchiveFiles } from "./docker-archive.ts"
import { ociLayoutFiles } from "./oci-layout.ts"
import { dirTransportFiles } from "./dir-transport.ts"

/** A file of what is saved. `size` is known before its bytes are read: a tar header says it. */
export interface SavedFile {
  name: string
  size: number
  bytes(): Bytes
}

/** An image to be saved, and the names that it shall have; none when it was asked for by its id. */
interface NamedImage {
  image: Image
  names: readonly string[]
}

export interface HeldImage extends NamedImage {
  held: HeldManifest
}

/** The files of a layout or archive of images, in the order in which they are written: documents that name others last. */
export async function* savedFiles(
  deps: ImagesDeps,
  records: ImageRecords,
  names: readonly string[],
  format: SaveFormat,
  compression?: LayerCompression,
): AsyncGenerator<SavedFile> {
  const images = named(records, names)
  if (format === "docker-dir" && images.length > 1)
    throw new InvalidArgument("a folder of the form docker-dir holds one image", { hint: "for several: oci-dir" })
  await using lease = await deps.leases.open()
  const held: HeldImage[] = []
  for (const each of images) {
    const plain = await holdImage(deps.content, lease, each.image)
    held.push({ ...each, held: compression === undefined ? plain : await compressed(deps, lease, plain, compression) })
  }
  if (format === "docker-archive") yield* dockerArchiveFiles(deps.content, held)
  else if (format === "docker-dir") yield* dirTransportFiles(deps.content, held)
  else yield* ociLayoutFiles(deps.content, held)
}

/** With every layer that is not compressed yet in this form. */
async function compressed(
  deps: ImagesDeps,
  lease: Lease,
  held: HeldManifest,
  compression: LayerCompression,
): Promise<HeldManifest> {
  const compressor = new LayerCompressor(deps, lease, compression)
  const layers: Descriptor[] = []
  for (const layer of held.manifest.layers)
    layers.push(
      compressionOf(layer) === "none"
        ? await compressor.layer(layer, { isThere: async () => false, onProgress: () => {} })
        : layer,
    )
  return { ...held, ...withLayers(held, layers), manifest: { ...held.manifest, layers } }
}

/** Each image once, with all the names it was asked by. Throws NotFound. */
function named(records: ImageRecords, words: readonly string[]): NamedImage[] {
  const images = new Map<string, { image: Image; names: Set<string> }>()
  for (const word of words) {
    const { image, name } = records.mustLocate(word)
    const known = images.get(image.id) ?? { image, names: new Set<string>() }
    // a name by digest is not one that an archive can give back
    if (name !== undefined && !name.includes("@")) known.names.add(name)
    images.set(image.id, known)
  }
  return [...images.values()].map(({ image, names }) => ({ image, names: [...names] }))
}

/** The files as one tar. Nothing in it depends on where or when it was made. */
export async function* tarOfFiles(files: AsyncIterable<SavedFile>): Bytes {
  const folders = new Set<string>()
  for await (const { name, size, bytes } of files) {
    for (const folder of foldersOf(name)) {
      if (folders.has(folder)) continue
      folders.add(folder)
      yield encodeTarHeader({ name: folder, type: "directory", mode: 0o755 })
    }
    yield encodeTarHeader({ name, sizeBytes: size, mode: 0o644 })
    let written = 0
    for await (const chunk of bytes()) {
      written += chunk.length
      yield chunk
    }
    if (written !== size) throw new Error(`"${name}" has ${written} bytes, said were ${size}`)
    yield tarPadding(size)
  }
  yield Buffer.alloc(TAR_END_BYTES)
}

/** `a/`, `a/b/` of `a/b/c`. */
function foldersOf(name: string): string[] {
  const parts = name.split("/").slice(0, -1)
  return parts.map((_, index) => `${parts.slice(0, index + 1).join("/")}/`)
}
