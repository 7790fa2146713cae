import { crashPoint } from "../base/crash-point.ts"
import { InvalidArgument } from "../base/errors.ts"
import { limiter } from "../base/limiter.ts"
import { noProgress } from "../base/progress.ts"
import type { Lease } from "../content/content.ts"
import type { RegistryTarget } from "../registry/registry.ts"
import { shortDigest, type DiffId, type Digest } from "../spec/digest.ts"
import { MediaType, type Descriptor, type ImageManifest } from "../spec/oci-image.ts"
import { digestOf } from "./documents.ts"
import { leaseImage, type LeasedManifest } from "./leased-manifest.ts"
import type { ImageMember, PushOptions, PushResult } from "./image.ts"
import { imageSetOf } from "./image-set.ts"
import { keptLayer } from "./kept-layers.ts"
import { formOf, isInForm, LayerCompressor, type MadeLayer } from "./layer-compressor.ts"
import { indexDocument } from "./make-index.ts"
import type { ImagesDeps } from "./deps.ts"
import type { ImageRecords } from "./records.ts"
import { reformed } from "./reformed.ts"
import { pushAttestations } from "./push-attestations.ts"
import { familiarReference, formatReference, parseReference, type Reference } from "./reference.ts"

/** As docker: more at once gain nothing on one line. */
const PARALLEL_UPLOADS = 5
const PROGRESS_EVERY_MS = 50

/** See `Images.push`. What is made on the way is leased by a lease; a push that was killed is begun again and goes on. */
export async function pushImage(
  deps: ImagesDeps,
  records: ImageRecords,
  name: string,
  options: PushOptions = {},
): Promise<PushResult> {
  const located = options.images === undefined ? records.mustLocate(name) : undefined
  const ownName = located === undefined ? name : located.name
  const onProgress = options.onProgress ?? noProgress
  const typed = options.destination ?? name
  const ref = destinationOf(typed, options.destination ?? ownName)
  if (parseReference(typed).tag === undefined) onProgress({ id: "", stage: "tag-defaulted", subject: ref.tag })
  onProgress({ id: "", stage: "destination", subject: `${ref.registry}/${ref.repository}` })
  const stop = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal
  await using lease = await deps.leases.open()
  const set = located === undefined ? options.images : await imageSetOf(deps, records, located.image, located.name)
  const members = await Promise.all(
    (set?.members ?? []).map(async (member) => {
      for (const { statement } of member.attestations) lease.addBlob(statement.digest)
      return { member, leased: await leaseImage(deps.content, lease, member.image) }
    }),
  )
  const [first] = members
  if (set === undefined || first === undefined) throw new InvalidArgument(`no image was given to push as "${typed}"`)
  const mountFrom = new Map(members.flatMap(({ leased }) => mountSources(records, ref, leased.manifest)))
  const registries = await deps.registries()
  const signer = options.signing && (await registries.signer(options.signing))
  const all = [...new Set([...mountFrom.values()].flat())]
  const target = await registries.openTarget(ref, { ...options, signal, mountFrom: all })

  const upload = new ImageUpload({ deps, lease, target, mountFrom, options, signal })
  const { registry, repository } = ref
  const tag = options.byDigest ? undefined : ref.tag
  const pushed: { member: ImageMember; descriptor: Descriptor }[] = []
  for (const { member, leased } of members) {
    const layers = await upload.layers(leased.manifest, leased.diffIds, (error) => stop.abort(error))
    crashPoint("push:layers-sent")
    const sent = await reformed(deps.content, lease, leased, layers, options.format && MANIFEST_TYPES[options.format])
    checkFormat(sent, options)
    const { bytes, mediaType, manifest } = sent
    await upload.config(manifest.config)
    const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length }
    await target.putManifest(bytes, descriptor, members.length === 1 ? tag : undefined)
    await signer?.sign(ref, descriptor.digest, target)
    if (member.attestations.length > 0) {
      const count = await pushAttestations(deps.content, target, member, descriptor, tag && formatReference(ref))
      onProgress({ id: "", stage: "attested", subject: descriptor.digest, current: count })
    }
    // what has another config there is another image
    if (manifest.config.digest === member.image.id)
      remember(formatReference({ registry, repository, digest: descriptor.digest }), member.image.id)
    pushed.push({ member, descriptor })
  }
  crashPoint("push:manifest-put")
  const top = pushed.length === 1 ? pushed[0]?.descriptor : await putIndex(pushed)
  if (top === undefined) throw new Error("unreachable: each member was pushed")
  if (pushed.length > 1) remember(formatReference({ registry, repository, digest: top.digest }), first.member.image.id)
  return { name: formatReference(ref), digest: top.digest, size: top.size, mediaType: top.mediaType }

  async function putIndex(entries: typeof pushed): Promise<Descriptor> {
    const isDocker = entries.every(({ descriptor }) => descriptor.mediaType === MediaType.dockerManifest)
    const { bytes, descriptor } = indexDocument(entries, set ?? {}, isDocker ? "docker" : "oci")
    await target.putManifest(bytes, descriptor, tag)
    await signer?.sign(ref, descriptor.digest, target)
    return descriptor
  }

  /** An image may have been removed while it went out. */
  function remember(repoDigest: string, id: Digest): void {
    records.transaction(() => {
      if (records.byId(id)) records.setRepoDigest(repoDigest, id)
      records.tell("push", familiarReference(parseReference(repoDigest)))
    })
  }
}

const MANIFEST_TYPES = { oci: MediaType.ociManifest, docker: MediaType.dockerManifest } as const

function checkFormat({ mediaType }: LeasedManifest, { format }: PushOptions): void {
  if (format === undefined || mediaType === MANIFEST_TYPES[format]) return
  throw new InvalidArgument("docker's format has no layers compressed by zstd", {
    hint: ["push it as OCI", { do: "set", field: "compression", value: "gzip" }],
  })
}

/** Where to: the name the image has here, or the one that was given. */
function destinationOf(typed: string, text: string | undefined): Reference {
  if (text === undefined)
    throw new InvalidArgument(`"${typed}" is an image id, without a registry`, {
      hint: { do: "tag", image: typed },
    })
  const ref = parseReference(text)
  if (ref.digest !== undefined)
    throw new InvalidArgument(`cannot push to "${text}": the digest cannot be chosen`, { hint: "give a tag" })
  return { ...ref, tag: ref.tag ?? "latest" }
}

/** For each blob, the other repositories of this registry that should have it. */
function mountSources(
  records: ImageRecords,
  { registry, repository }: Reference,
  { config, layers }: ImageManifest,
): [Digest, string[]][] {
  return [...layers, config].map(({ digest }) => {
    const refs = records.repositoriesWith(digest).map((name) => parseReference(name))
    const others = refs.filter((ref) => ref.registry === registry && ref.repository !== repository)
    return [digest, others.map((ref) => ref.repository)]
  })
}

interface UploadParts {
  deps: ImagesDeps
  lease: Lease
  target: RegistryTarget
  mountFrom: ReadonlyMap<Digest, readonly string[]>
  options: PushOptions
  signal: AbortSignal
}

class ImageUpload {
  readonly #parts: UploadParts
  readonly #compressor: LayerCompressor

  constructor(parts: UploadParts) {
    this.#parts = parts
    this.#compressor = new LayerCompressor(parts.deps, parts.lease, parts.options.form)
  }

  /** Sends all layers; gives them as they now are in the registry. Throws the first failure, once all have ended. */
  async layers(
    { layers }: ImageManifest,
    diffIds: readonly DiffId[],
    onFailure: (error: unknown) => void,
  ): Promise<MadeLayer[]> {
    const onProgress = this.#parts.options.onProgress ?? noProgress
    const limit = limiter(PARALLEL_UPLOADS)
    let failure: { error: unknown } | undefined
    // one file may be many layers (the empty one is): sent once
    const sent = new Map<Digest, Promise<MadeLayer>>()
    const ended = await Promise.allSettled(
      layers.map((layer, index) => {
        const id = shortDigest(diffIds[index] ?? layer.digest)
        const known = sent.get(layer.digest)
        if (known !== undefined) return known
        onProgress({ id, stage: "preparing" })
        const sending = limit(
          () => this.#layer(layer, diffIds[index], id),
          () => onProgress({ id, stage: "waiting" }),
        ).catch((error: unknown) => {
          if (failure === undefined) onFailure((failure = { error }).error)
          throw error
        })
        sent.set(layer.digest, sending)
        return sending
      }),
    )
    if (failure !== undefined) throw failure.error
    return ended.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []))
  }

  /** Sends the config; docker shows no line for it. */
  async config(config: Descriptor): Promise<void> {
    const { target, deps, mountFrom } = this.#parts
    await target.upload(config, (offset) => deps.content.read(config.digest, { start: offset }), {
      mountFrom: mountFrom.get(config.digest),
    })
  }

  /** Whether the registry has a blob that we have not, or mounts it from another of its repositories. */
  async #isThere(layer: Descriptor, id: string): Promise<boolean> {
    const { target, mountFrom, options } = this.#parts
    const { form, onProgress = noProgress } = options
    if (form?.every && !isInForm(layer, form.compression)) return false
    const found = await target.find(layer, mountFrom.get(layer.digest))
    if (found === undefined) return false
    if (found.how === "mounted") onProgress({ id, stage: "mounted", subject: found.from })
    else onProgress({ id, stage: "exists-there" })
    return true
  }

  async #layer(layer: Descriptor, diffId: DiffId | undefined, id: string): Promise<MadeLayer> {
    const { target, deps, mountFrom, options } = this.#parts
    const onProgress = options.onProgress ?? noProgress
    const kept = keptLayer(deps.content, layer, diffId)
    if (kept !== layer && (await this.#isThere(layer, id))) return { layer }
    // what was fetched in parts goes out in the form that it came in
    const compressor =
      kept === layer || options.form !== undefined
        ? this.#compressor
        : new LayerCompressor(deps, this.#parts.lease, { compression: formOf(layer) })
    const made = await compressor.made(kept, {
      isThere: (descriptor) => target.has(descriptor),
      signal: this.#parts.signal,
      onProgress: (current) => onProgress({ id, stage: "compressing", current, total: kept.size }),
    })
    const wanted = made.layer
    let reportedAt = 0
    const uploaded = await target.upload(wanted, (offset) => deps.content.read(wanted.digest, { start: offset }), {
      mountFrom: mountFrom.get(wanted.digest),
      onProgress(current) {
        const now = performance.now()
        if (now - reportedAt < PROGRESS_EVERY_MS && current < wanted.size) return
        reportedAt = now
        onProgress({ id, stage: "uploading", current, total: wanted.size })
      },
    })
    if (uploaded.how === "there") onProgress({ id, stage: "exists-there" })
    else if (uploaded.how === "mounted") onProgress({ id, stage: "mounted", subject: uploaded.from })
    else onProgress({ id, stage: "uploaded" })
    return made
  }
}
