/** One image, or all that an index names, from one place to another. */
import { join } from "node:path"
import { InvalidArgument, Unsupported } from "../../base/errors.ts"
import { noProgress } from "../../base/progress.ts"
import { parseManifest } from "../../spec/parse-manifest.ts"
import type { ImagesDeps } from "../deps.ts"
import type { CopyOptions, CopyResult, PushOptions } from "../image.ts"
import { imageSetOf } from "../image-set.ts"
import { bringIn, bringInAll } from "../load/load-images.ts"
import type { ImageRecords } from "../records.ts"
import { pushImage } from "../push-image.ts"
import { formatReference, taggedName, type Reference } from "../reference.ts"
import { daemonTarget, dockerArchiveTarget, ociArchiveTarget } from "./archive-target.ts"
import { chosenMember, openCopySource, signalOf, type CopySource } from "./copy-source.ts"
import type { CopyTarget } from "./copy-target.ts"
import { copyTree } from "./copy-tree.ts"
import { dirTarget } from "./dir-target.ts"
import { layoutTarget } from "./layout-target.ts"
import { oneImage } from "./one-image.ts"
import { parsePlace, type ImagePlace } from "./place.ts"
import { registryTarget } from "./registry-target.ts"

/** See `Images.copy`. */
export async function copyImage(
  deps: ImagesDeps,
  records: ImageRecords,
  fromText: string,
  toText: string,
  options: CopyOptions = {},
): Promise<CopyResult> {
  const [from, to] = [parsePlace(fromText), parsePlace(toText)]
  if (options.signing !== undefined && to.kind !== "docker")
    throw new InvalidArgument(`cannot sign a copy in "${toText}": signatures are of images at a registry`, {
      hint: "copy it there first, or sign it where it is",
    })
  if (from.kind === "store" && to.kind === "docker" && !options.preserveDigests)
    return await push(deps, records, from.name, to.ref, options)
  await using undo = new AsyncDisposableStack()
  const source = await decrypted(await openCopySource(deps, records, from, options, undo), options)
  if (to.kind === "store") return await load(deps, records, source, to.name, options)
  const { form } = options
  if (form?.compression === "estargz" || form?.compression === "none")
    throw new InvalidArgument(
      `layers cannot be made into ${form.compression === "none" ? "plain ones" : "eStargz"} between two places`,
      {
        hint: "eStargz changes the image's config: bring it into the local store, and push it from there",
      },
    )
  const only = options.all ? source : await oneImage(source, options)
  const target = await openTarget(deps, to, from, options, undo)
  const { signal, onProgress = noProgress, format, preserveDigests = false } = options
  const scratch = join(deps.root, "ingest")
  const top = await copyTree(only, target, {
    format,
    preserveDigests,
    scratch,
    onProgress,
    signal,
    form: form && { ...form, compression: form.compression },
  })
  return { descriptor: top.descriptor }
}

/** With plain layers, where keys are given; the policy is of the image as it was made. */
async function decrypted(source: CopySource, options: CopyOptions): Promise<CopySource> {
  if (options.decryptionKeys === undefined) return source
  const { decryptImage } = await import("../decrypt-image.ts")
  const one = options.all ? source : await oneImage(source, options)
  const result = await decryptImage(one, options.decryptionKeys)
  if (result === one) return source
  await one.admit?.([one.top.descriptor.digest, ...(one.indexes ?? [])])
  return { ...result, admit: undefined }
}

async function openTarget(
  deps: ImagesDeps,
  to: Exclude<ImagePlace, { kind: "store" }>,
  from: ImagePlace,
  options: CopyOptions,
  undo: AsyncDisposableStack,
): Promise<CopyTarget> {
  switch (to.kind) {
    case "docker":
      return await registryTarget(deps, to.ref, from, options)
    case "docker-daemon":
      return daemonTarget(
        to.name,
        { scratch: join(deps.root, "ingest"), address: options.daemons?.target },
        options,
        undo,
      )
    case "containers-storage":
      throw new Unsupported("podman's store is read, and changed by podman alone", {
        hint: "copy it to docker-archive:FILE, and have podman load that",
      })
    case "dir":
      return dirTarget(to.path)
    case "oci":
      return layoutTarget(to.path, to.name)
    case "oci-archive":
      return ociArchiveTarget(to.path, to.name, undo)
    case "docker-archive":
      return dockerArchiveTarget(to.path, [...(to.name ? [to.name] : []), ...(options.moreNames ?? [])], undo)
  }
}

/** The image of one platform, as a pull brings it; of an index all of them, where that is asked for. */
async function load(
  deps: ImagesDeps,
  records: ImageRecords,
  source: CopySource,
  name: string,
  { all, platform, format, form, onProgress = noProgress, signal }: CopyOptions,
): Promise<CopyResult> {
  if (form !== undefined) throw new InvalidArgument("the local store keeps layers in the form that they have")
  if (format !== undefined) throw new InvalidArgument("the local store keeps a manifest in the format that it has")
  const { top, shown } = source
  const parsed = parseManifest(top.bytes, top.descriptor.mediaType, `manifest of ${shown}`)
  if (all && parsed.kind === "index") {
    const { mediaType } = parsed
    const named = { ...source, names: [], name: taggedName(name) }
    await bringInAll(deps, records, named, parsed.index, { ...signalOf({ signal }), onProgress })
    return { descriptor: { ...top.descriptor, mediaType } }
  }
  const { image } = await bringIn(
    deps,
    records,
    { ...source, names: [taggedName(name)] },
    {
      ...signalOf({ signal }),
      onProgress,
      ...(platform !== undefined && { platform }),
    },
  )
  return { descriptor: image.manifest }
}

/** As `push` sends it: plain layers compressed the same way, what is attested of it beside it. */
async function push(
  deps: ImagesDeps,
  records: ImageRecords,
  word: string,
  to: Reference,
  { all, platform, format, form, target, signing, onProgress, signal }: CopyOptions,
): Promise<CopyResult> {
  const { image, name } = records.mustLocate(word)
  const set = await imageSetOf(deps, records, image, name)
  const members = all ? set.members : [chosenMember(set.members, platform, word)]
  const options: PushOptions = {
    ...target,
    ...signalOf({ signal }),
    ...(onProgress !== undefined && { onProgress }),
    ...(format !== undefined && { format }),
    ...(form !== undefined && { form }),
    images: all ? set : { members },
    destination: formatReference(to),
    signing,
  }
  const { digest, mediaType, size } = await pushImage(deps, records, word, options)
  return { descriptor: { mediaType, digest, size } }
}
