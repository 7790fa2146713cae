import { join, resolve } from "node:path"
import { InvalidArgument, NotFound } from "../../base/errors.ts"
import type { PolicySubject } from "../../registry/registry.ts"
import type { Digest } from "../../spec/digest.ts"
import { MAX_MANIFEST_BYTES } from "../../spec/oci-image.ts"
import { formatPlatform, samePlatform, type Platform } from "../../spec/platform.ts"
import type { ImagesDeps } from "../deps.ts"
import type { CopyOptions, ImageMember, ImageSource, ResolvedManifest } from "../image.ts"
import { imageSetOf, mainMember } from "../image-set.ts"
import { digestOf } from "../documents.ts"
import { withKeptLayers } from "../kept-layers.ts"
import { leaseImage, readManifest } from "../leased-manifest.ts"
import type { ArchivedImage } from "../load/archived-image.ts"
import { imageOfDirectory } from "../load/dir-transport.ts"
import { imagesOfDockerArchive } from "../load/docker-archive.ts"
import { imagesOfLayout } from "../load/oci-layout.ts"
import { openInput } from "../load/open-input.ts"
import { openPodmanImage } from "../podman-store/podman-image.ts"
import { findStoredImage, openPodmanStore } from "../podman-store/podman-store.ts"
import type { ImageRecords } from "../records.ts"
import { formatReference, taggedName, type Reference } from "../reference.ts"
import { imageOfDaemon } from "./docker-daemon.ts"
import type { ImagePlace } from "./place.ts"

/** What is copied, wherever it is. */
export interface CopySource {
  source: ImageSource
  /** What the source is asked by. */
  ref: Reference
  top: ResolvedManifest
  /** In messages. */
  shown: string
  /** As in `FetchOptions`. */
  admit?: Admit | undefined
  /** What it is called there, and how its archive calls the files of its layers. */
  names?: readonly string[]
  layerFiles?: readonly string[]
  /** The indexes that led to `top`, the nearest first. */
  indexes?: readonly Digest[]
}

/** Throws PermissionDenied where policy.json does not let in an image with these digests: its manifest's, then its indexes'. */
type Admit = (digests: readonly Digest[]) => Promise<void>

/** What a source that is no registry is asked by: it knows only digests. */
const NAMELESS: Reference = { registry: "localhost", repository: "archive" }

/** Opens the place; `undo` closes it. Throws NotFound, InvalidArgument, PermissionDenied by policy, Unavailable, DataLoss. */
export async function openCopySource(
  deps: ImagesDeps,
  records: ImageRecords,
  place: ImagePlace,
  options: CopyOptions,
  undo: AsyncDisposableStack,
): Promise<CopySource> {
  const registries = await deps.registries()
  const admission = await registries.admission(subjectOf(place))
  if (place.kind === "docker") {
    const { ref } = place
    const source = await registries.open({ ...options.source, ...signalOf(options) })
    const admit = admission && ((digests: readonly Digest[]) => admission.admit(digests, source))
    return { source, ref, top: await source.resolve(ref), shown: formatReference(ref), ...(admit && { admit }) }
  }
  const found = await openLocal(deps, records, place, options, undo)
  return admission === undefined ? found : { ...found, admit: (digests) => admission.admit(digests) }
}

/** A place that is no registry. */
async function openLocal(
  deps: ImagesDeps,
  records: ImageRecords,
  place: Exclude<ImagePlace, { kind: "docker" }>,
  options: CopyOptions,
  undo: AsyncDisposableStack,
): Promise<CopySource> {
  if (place.kind === "store") return await storeSource(deps, records, place.name, options, undo)
  if (place.kind === "containers-storage") {
    const store = await openPodmanStore(place.store)
    const shown = `containers-storage:${place.image}`
    const image = await openPodmanImage(store, findStoredImage(store, place.image), { ...options, shown })
    return { ...image, ref: NAMELESS, shown }
  }
  if (place.kind === "docker-daemon") {
    const bytes = await imageOfDaemon(place.name, { address: options.daemons?.source, signal: options.signal })
    const archive = undo.use(await openInput({ bytes }, join(deps.root, "ingest"), options.signal))
    const images = await imagesOfDockerArchive(archive, { isKnown: () => false, lines: new Map() })
    return chosen(images, undefined, `docker-daemon:${place.name}`)
  }
  const files = undo.use(await openInput({ path: place.path }, join(deps.root, "ingest"), options.signal))
  const name = place.kind === "dir" ? undefined : place.name
  const shown = `${place.kind}:${place.path}${name === undefined ? "" : `:${name}`}`
  if (place.kind === "dir") return chosen(await imageOfDirectory(files), undefined, shown)
  if (place.kind === "docker-archive")
    return chosen(await imagesOfDockerArchive(files, { isKnown: () => false, lines: new Map() }), name, shown)
  return chosen(await imagesOfLayout(files), name, shown)
}

/** The place as policy.json names it. */
function subjectOf(place: ImagePlace): PolicySubject {
  switch (place.kind) {
    case "docker":
      return { transport: "docker", ref: place.ref }
    case "store":
      return { transport: "containers-storage", name: fullName(place.name) ?? place.name }
    case "containers-storage":
      return { transport: "containers-storage", name: fullName(place.image) ?? place.image }
    case "docker-daemon":
      return { transport: "docker-daemon", name: place.name }
    case "dir":
      return { transport: "dir", path: resolve(place.path) }
    default:
      return { transport: place.kind, path: resolve(place.path), name: place.name }
  }
}

/** The image of that name: as a layout writes it, or in full. */
function chosen(images: readonly ArchivedImage[], name: string | undefined, shown: string): CopySource {
  const known = images.flatMap((image) => ("known" in image ? [] : [image]))
  const fits = known.filter(
    ({ names, refNames = [] }) =>
      name === undefined ||
      refNames.includes(name) ||
      names.some((one) => one === name || fullName(one) === fullName(name)),
  )
  const [image] = fits
  if (image === undefined) throw new NotFound(`no image "${name ?? ""}" is in ${shown}`)
  if (fits.length > 1)
    throw new InvalidArgument(`${shown} has ${fits.length} images`, {
      hint: "say which: a colon and its name after the path",
    })
  const { source, top, names, layerFiles } = image
  return { source, ref: NAMELESS, top, shown, names, ...(layerFiles !== undefined && { layerFiles }) }
}

function fullName(name: string): string | undefined {
  try {
    return taggedName(name)
  } catch {
    return undefined // the names of a layout are free text
  }
}

async function storeSource(
  { content, leases }: ImagesDeps,
  records: ImageRecords,
  word: string,
  { all, platform }: CopyOptions,
  undo: AsyncDisposableStack,
): Promise<CopySource> {
  const lease = undo.use(await leases.open())
  const { image, name } = records.mustLocate(word)
  const { members } = await imageSetOf({ content }, records, image, name)
  const index = name === undefined || members.length < 2 ? undefined : records.index(name)
  const wanted = chosenMember(members, platform, word)
  for (const member of members) await leaseImage(content, lease, member.image)
  const kept = withKeptLayers(content, await readManifest(content, wanted.image))
  const manifestOf = async (digest: Digest, mediaType = ""): Promise<ResolvedManifest> => {
    const bytes = await content.readAll(digest, MAX_MANIFEST_BYTES)
    return { descriptor: { mediaType, digest, size: bytes.length }, bytes }
  }
  const source: ImageSource = {
    async resolve({ digest }) {
      if (digest === undefined) throw new NotFound("the store knows its manifests by digest")
      return await manifestOf(digest)
    },
    fetch: async (_, { digest }, offset = 0) => ({ offset, bytes: content.read(digest, { start: offset }) }),
  }
  if (all && index !== undefined) lease.addBlob(index.digest)
  const { bytes, mediaType } = kept
  // of layers that were fetched in parts there are no blobs
  const keptTop = { descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length }, bytes }
  const top = all && index !== undefined ? await manifestOf(index.digest) : keptTop
  return { source, ref: NAMELESS, top, shown: word }
}

/** The image for a platform; default this machine's, else the first. Throws NotFound. */
export function chosenMember(
  members: readonly ImageMember[],
  platform: Platform | undefined,
  word: string,
): ImageMember {
  const found =
    platform === undefined ? mainMember(members) : members.find(({ image }) => samePlatform(image.platform, platform))
  if (found !== undefined) return found
  const wanted = platform === undefined ? "this machine" : formatPlatform(platform)
  throw new NotFound(`"${word}" has no image for ${wanted}`, {
    hint: { valid: members.map(({ image }) => formatPlatform(image.platform)) },
  })
}

/** For options that know no undefined. */
export function signalOf({ signal }: { signal?: AbortSignal | undefined }): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal }
}
