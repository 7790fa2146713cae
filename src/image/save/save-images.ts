import { InvalidArgument } from "../../base/errors.ts"
import { untilAborted, type Bytes } from "../../base/bytes.ts"
import { encodeTarHeader, TAR_END_BYTES, tarPadding } from "../../archive/archive.ts"
import type { ImagesDeps } from "../deps.ts"
import { leaseImage, type LeasedManifest } from "../leased-manifest.ts"
import type { Image, ImageMember, LayerForm, SaveFormat, SaveOptions } from "../image.ts"
import { imageSetOf, mainMember } from "../image-set.ts"
import type { ImageRecords } from "../records.ts"
import type { Lease } from "../../content/content.ts"
import { LayerCompressor, type MadeLayer } from "../layer-compressor.ts"
import { withKeptLayers } from "../kept-layers.ts"
import { reformed } from "../reformed.ts"
import { dockerArchiveFiles } from "./docker-archive.ts"
import { ociLayoutFiles } from "./oci-layout.ts"
import { dirTransportFiles } from "./dir-transport.ts"
import type { LeasedMember, LeasedSet, NamedSet, SavedFile } from "./saved-file.ts"

/** The files of a layout or archive of images, in the order in which they are written: documents that name others last. */
export async function* savedFiles(
  deps: ImagesDeps,
  sets: readonly NamedSet[],
  format: SaveFormat,
  options: SaveOptions = {},
): AsyncGenerator<SavedFile> {
  if (format === "docker-dir" && sets.length > 1)
    throw new InvalidArgument("the format docker-dir holds one image", { hint: "for several images use oci-dir" })
  await using lease = await deps.leases.open()
  const isOci = format === "oci-archive" || format === "oci-dir"
  const leased: LeasedSet[] = []
  for (const set of sets) {
    // the others hold one image under one name
    const main = mainMember(set.members)
    const [first, ...others] = isOci ? set.members : main === undefined ? [] : [main]
    if (first === undefined) continue
    const members: LeasedSet["members"] = [await hold(deps, lease, first, options)]
    leased.push({ ...set, members: [...members, ...(await holdAll(deps, lease, others, options))] })
  }
  const { signal } = options
  const files = isOci
    ? ociLayoutFiles(deps.content, leased)
    : format === "docker-archive"
      ? dockerArchiveFiles(deps.content, leased, signal)
      : dirTransportFiles(deps.content, leased)
  for await (const file of files) yield { ...file, bytes: () => untilAborted(file.bytes(), signal) }
}

async function holdAll(
  deps: ImagesDeps,
  lease: Lease,
  members: readonly ImageMember[],
  options: SaveOptions,
): Promise<LeasedMember[]> {
  const leased: LeasedMember[] = []
  for (const member of members) leased.push(await hold(deps, lease, member, options))
  return leased
}

async function hold(deps: ImagesDeps, lease: Lease, member: ImageMember, options: SaveOptions): Promise<LeasedMember> {
  for (const { statement } of member.attestations) lease.addBlob(statement.digest)
  const plain = withKeptLayers(deps.content, await leaseImage(deps.content, lease, member.image))
  return {
    ...member,
    leased: options.form === undefined ? plain : await inForm(deps, lease, plain, options.form, options.signal),
  }
}

/** With its layers in the form that was asked for. */
async function inForm(
  deps: ImagesDeps,
  lease: Lease,
  leased: LeasedManifest,
  form: LayerForm,
  signal: AbortSignal | undefined,
): Promise<LeasedManifest> {
  const compressor = new LayerCompressor(deps, lease, form)
  const made: MadeLayer[] = []
  for (const layer of leased.manifest.layers)
    made.push(await compressor.made(layer, { isThere: async () => false, onProgress: () => {}, signal }))
  return await reformed(deps.content, lease, leased, made)
}

/** Each image once, with all the names it was asked by. Throws NotFound. */
export async function namedSets(
  deps: ImagesDeps,
  records: ImageRecords,
  words: readonly string[],
): Promise<NamedSet[]> {
  const sets = new Map<string, { image: Image; name: string | undefined; names: Set<string> }>()
  for (const word of words) {
    const { image, name } = records.mustLocate(word)
    const key = (name !== undefined && records.index(name)?.digest) || image.id
    const known = sets.get(key) ?? { image, name, names: new Set<string>() }
    // a name by digest is not one that an archive can give back
    if (name !== undefined && !name.includes("@")) known.names.add(name)
    sets.set(key, known)
  }
  const named: NamedSet[] = []
  for (const { image, name, names } of sets.values())
    named.push({ ...(await imageSetOf(deps, records, image, name)), names: [...names] })
  return named
}

/** The files as one tar. Nothing in it depends on where or when it was made. */
export async function* tarOfFiles(files: AsyncIterable<SavedFile>): Bytes {
  const directories = new Set<string>()
  for await (const { name, size, bytes } of files) {
    for (const directory of directoriesOf(name)) {
      if (directories.has(directory)) continue
      directories.add(directory)
      yield encodeTarHeader({ name: directory, type: "directory", mode: 0o755 })
    }
    yield encodeTarHeader({ name, sizeBytes: size, mode: 0o644 })
    let written = 0
    for await (const chunk of bytes()) {
      written += chunk.length
      yield chunk
    }
    if (written !== size) throw new Error(`"${name}" has ${written} bytes, expected ${size}`)
    yield tarPadding(size)
  }
  yield Buffer.alloc(TAR_END_BYTES)
}

/** `a/`, `a/b/` of `a/b/c`. */
function directoriesOf(name: string): string[] {
  const parts = name.split("/").slice(0, -1)
  return parts.map((_, index) => `${parts.slice(0, index + 1).join("/")}/`)
}
