import { statSync } from "node:fs"
import { join, resolve } from "node:path"
import type { ArchiveFiles } from "../../archive/archive.ts"
import { DataLoss, InvalidArgument } from "../../base/errors.ts"
import { noProgress, type OnProgress } from "../../base/progress.ts"
import type { Lease } from "../../content/content.ts"
import type { PolicySubject } from "../../registry/registry.ts"
import type { ChainId, Digest } from "../../spec/digest.ts"
import type { ImageIndex } from "../../spec/oci-image.ts"
import { fetchImage, putFetched, type FetchedImage, type FetchOptions } from "../fetch-image.ts"
import type { LoadedImage, LoadInput, LoadOptions } from "../image.ts"
import type { ImagesDeps } from "../deps.ts"
import { mainMember } from "../image-set.ts"
import type { ImageRecords } from "../records.ts"
import { taggedName, type Reference } from "../reference.ts"
import type { ArchivedImage, NewArchivedImage } from "./archived-image.ts"
import { imageOfDirectory } from "./dir-transport.ts"
import { imagesOfDockerArchive } from "./docker-archive.ts"
import { imagesOfLayout } from "./oci-layout.ts"
import { openInput } from "./open-input.ts"

/** See `Images.load`. What an archive brought that was then refused is gone afterwards. */
export async function loadImages(
  deps: ImagesDeps,
  records: ImageRecords,
  input: LoadInput,
  options: LoadOptions = {},
): Promise<LoadedImage[]> {
  try {
    return await loadAll(deps, records, input, options)
  } catch (error) {
    await deps.collect().catch(() => {}) // the next one does it
    throw error
  }
}

/** Nothing is recorded before all of the archive is in. */
async function loadAll(
  deps: ImagesDeps,
  records: ImageRecords,
  input: LoadInput,
  options: LoadOptions,
): Promise<LoadedImage[]> {
  const lines = new Map<string, string>()
  const onProgress = withDiffIds(options.onProgress ?? noProgress, lines)
  await using files = await openInput(input, join(deps.root, "ingest"), options.signal)
  await using lease = await deps.leases.open()
  const { images: archived, kind } = await imagesOf(files, { records, lines })
  const admission = await (await deps.registries()).admission(subjectOf(input, kind))
  const admit = admission && ((digests: readonly Digest[]) => admission.admit(digests))
  if (archived.length === 0) throw new InvalidArgument("the archive has no image")
  const sizes = new Map<ChainId, number>()
  const fetched: { image: FetchedImage | Digest; names: string[] }[] = []
  for (const each of archived) {
    const names = each.names.map((name) => taggedName(name))
    if ("known" in each) await admit?.([])
    const image =
      "known" in each
        ? each.known
        : await fetchOne(deps, records, { ...each, admit }, lease, { ...options, onProgress, sizes })
    fetched.push({ image, names })
  }
  return records.transaction(() => fetched.map(({ image, names }) => recordLoaded(records, image, names)))
}

/** One image of any source, recorded under its names. */
export async function bringIn(
  deps: ImagesDeps,
  records: ImageRecords,
  image: NewImage,
  options: LoadOptions & { onProgress: OnProgress },
): Promise<LoadedImage> {
  try {
    await using lease = await deps.leases.open()
    const fetched = await fetchOne(deps, records, image, lease, { ...options, sizes: new Map() })
    return records.transaction(() => recordLoaded(records, fetched, image.names))
  } catch (error) {
    await deps.collect().catch(() => {}) // the next one does it
    throw error
  }
}

/** All images of an index that are for a platform, recorded as what one name leads to; the index stays byte for byte. */
export async function bringInAll(
  deps: ImagesDeps,
  records: ImageRecords,
  image: NewImage & { name: string },
  index: ImageIndex,
  options: LoadOptions & { onProgress: OnProgress },
): Promise<void> {
  const { name, top } = image
  const platforms = index.manifests.flatMap(({ platform }) => (platform && platform.os !== "unknown" ? [platform] : []))
  const sizes = new Map<ChainId, number>()
  try {
    await using lease = await deps.leases.open()
    const fetched: FetchedImage[] = []
    for (const platform of platforms)
      fetched.push(await fetchOne(deps, records, { ...image, names: [] }, lease, { ...options, platform, sizes }))
    records.transaction(() => {
      const members = fetched.map((each) => ({ image: recordLoaded(records, each, []).image }))
      const main = mainMember(members)
      if (main === undefined) throw new DataLoss(`the index of ${image.shown ?? name} names no image for a platform`)
      records.setName(name, main.image.id)
      const ids = new Set(members.map(({ image: { id } }) => id))
      records.setIndex(name, top.descriptor.digest, [...ids])
      records.tell("load", main.image.id, { name })
    })
  } catch (error) {
    await deps.collect().catch(() => {}) // the next one does it
    throw error
  }
}

/** What an archive is asked by: it knows only digests. */
const ARCHIVE: Reference = { registry: "localhost", repository: "archive" }

/** An image to be fetched, and what its source is asked by. */
type NewImage = NewArchivedImage & Pick<FetchOptions, "admit"> & { ref?: Reference; shown?: string }

interface Loading {
  records: ImageRecords
  lines: Map<string, string>
}

type Kind = "layout" | "dir" | "docker-archive"

/** What was given, as policy.json names it. */
function subjectOf(input: LoadInput, kind: Kind): PolicySubject {
  const path = "path" in input ? resolve(input.path) : undefined
  if (kind !== "layout") return { transport: kind, path }
  const isDirectory = path !== undefined && statSync(path).isDirectory()
  return { transport: isDirectory ? "oci" : "oci-archive", path }
}

async function imagesOf(
  files: ArchiveFiles,
  { records, lines }: Loading,
): Promise<{ images: ArchivedImage[]; kind: Kind }> {
  const isDocker = files.has("manifest.json")
  if (files.has("oci-layout") && files.has("index.json")) {
    // docker's since 25 are both: as a layout it keeps its manifests, and its names where the layout has them
    const images = await imagesOfLayout(files)
    if (!isDocker || images.some(({ names }) => names.length > 0)) return { images, kind: "layout" }
  }
  if (files.has("version") && isDocker) return { images: await imageOfDirectory(files), kind: "dir" }
  if (isDocker) {
    const isKnown = (id: Digest) => records.byId(id) !== undefined
    return { images: await imagesOfDockerArchive(files, { isKnown, lines }), kind: "docker-archive" }
  }
  if (files.has("repositories"))
    throw new InvalidArgument("the archive was made by docker before 1.10, and has no manifest.json", {
      hint: ["load and save it again with a newer docker", { do: "importRootfs" }],
    })
  throw new InvalidArgument("this is not an image archive: it has neither manifest.json nor index.json", {
    hint: { do: "importRootfs" },
  })
}

async function fetchOne(
  deps: ImagesDeps,
  records: ImageRecords,
  { source, top, names, admit, ref = ARCHIVE, shown = names[0] ?? `image ${top.descriptor.digest}` }: NewImage,
  lease: Lease,
  options: LoadOptions & { onProgress: OnProgress; sizes: Map<ChainId, number> },
): Promise<FetchedImage> {
  const stop = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal
  const { platform, onProgress, sizes } = options
  const how = { platform, attestations: true, onProgress, signal, stop }
  return await fetchImage(deps, records, { source, ref, shown, top, admit, lease, sizes, ...how })
}

/** An image that is here keeps its manifest: that of the registry it came from, where it came from one. */
function recordLoaded(records: ImageRecords, image: FetchedImage | Digest, names: readonly string[]): LoadedImage {
  const id = typeof image === "string" ? image : image.manifest.config.digest
  if (typeof image !== "string") {
    if (records.byId(id) === undefined) putFetched(records, image)
    else records.putAttestations(id, image.attestations)
  }
  if (names.length === 0) records.tell("load", id)
  const taken = names.flatMap((name) => {
    const before = records.find(name)?.id
    records.setName(name, id)
    records.tell("load", id, { name })
    return before === undefined || before === id ? [] : [{ name, from: before }]
  })
  return { image: records.get(id), names, taken }
}

/** A layer's line is named by its diff id, whatever blob it comes in. */
function withDiffIds(onProgress: OnProgress, lines: ReadonlyMap<string, string>): OnProgress {
  return (event) => onProgress({ ...event, id: lines.get(event.id) ?? event.id })
}
