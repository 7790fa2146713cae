import { existsSync } from "node:fs"
import { DataLoss } from "../base/errors.ts"
import { log } from "../base/log.ts"
import type { ImagesDeps } from "./deps.ts"
import { filterImages } from "./filter-images.ts"
import type { Image, Images, RemoveImageResult } from "./image.ts"
import { ImageRecords } from "./records.ts"
import { taggedName } from "./reference.ts"
import { digestHex } from "../spec/digest.ts"
import { removeFromRecords } from "./remove-image.ts"
import { untagInRecords } from "./untag-image.ts"

/** The images of one store. Loads what pulls, extracts and parses only when that is asked for. */
export function openImages(deps: ImagesDeps): Images {
  const { content, snapshots } = deps
  const records = new ImageRecords(deps.db, deps)

  const config = async (image: Image) => {
    const { MAX_CONFIG_BYTES, parseImageConfig } = await import("../spec/parse-image-config.ts")
    return parseImageConfig(await content.readAll(image.id, MAX_CONFIG_BYTES), `config of image ${image.id}`)
  }

  /** The layers that went with these images, as docker's `rmi` lists them. */
  const collectLayers = async (layers: readonly string[], signal: AbortSignal | undefined) => {
    const { bytes } = await deps.collect(signal)
    return { bytes, gone: layers.filter((chainId) => !snapshots.has(chainId as never)) }
  }

  const tellSaved = (names: readonly string[]): void => {
    for (const name of names) {
      const image = records.find(name)
      if (image !== undefined) records.tell("save", image.id, { name })
    }
  }

  /** After what brings images in; whatever it meets, that has succeeded. */
  const withinCap = async <T>(made: T, ...brought: Image[]): Promise<T> => {
    if (deps.cap === undefined) return made
    const { evictImages } = await import("./store-cap.ts")
    for (const { id } of brought) records.use(id)
    await evictImages(deps, records).catch((error: unknown) => {
      log.warn(`images are not brought below the cap: ${error instanceof Error ? error.message : String(error)}`)
    })
    return made
  }

  const images: Images = {
    maxBytes: deps.cap?.maxBytes,
    used(image) {
      if (deps.cap !== undefined) records.use(image.id)
    },
    async evict(options) {
      if (deps.cap === undefined) return { untagged: [], deleted: [], reclaimedBytes: 0, usedBytes: 0 }
      return await (await import("./store-cap.ts")).evictImages(deps, records, options)
    },
    hasLayer: (chainId) => records.hasLayer(chainId),
    list(filter) {
      if (filter === undefined || Object.keys(filter).length === 0) return records.list()
      return filterImages(records, records.list(), filter)
    },
    get: (nameOrId) => records.get(nameOrId),
    find: (nameOrId) => records.find(nameOrId),
    config,

    async inspect(nameOrId) {
      const image = records.get(nameOrId)
      const layerDirectories = records.layers(image.id).map(({ chainId }) => snapshots.diffPath(chainId))
      return { image, config: await config(image), storage: { driver: snapshots.driver, layerDirectories } }
    },

    async *files(nameOrId) {
      const { topLayer } = records.get(nameOrId)
      if (topLayer !== undefined) yield* snapshots.diff(topLayer, { since: "nothing" })
    },
    mount: async (nameOrId) => (await import("./mounts.ts")).mountImage(deps, records.get(nameOrId)),
    unmount: async (nameOrId) => (await import("./mounts.ts")).unmountImage(deps, records.get(nameOrId)),
    async mounted() {
      const paths = (await import("./mounts.ts")).mountedImages(deps.mounts)
      return [...paths].flatMap(([hex, mountPoint]) => {
        const image = records.find(hex)
        return image === undefined ? [] : [{ image, mountPoint }]
      })
    },
    async *fileChanges(nameOrId, options) {
      const { topLayer } = records.get(nameOrId)
      if (topLayer !== undefined) yield* snapshots.changes(topLayer, options)
    },
    async history(nameOrId) {
      const image = records.get(nameOrId)
      const { imageHistory } = await import("./image-history.ts")
      return imageHistory(image, await config(image), records.layers(image.id))
    },

    async manifest(image) {
      const [{ parseManifest }, { MAX_MANIFEST_BYTES }] = await Promise.all([
        import("../spec/parse-manifest.ts"),
        import("../spec/oci-image.ts"),
      ])
      const bytes = await content.readAll(image.manifest.digest, MAX_MANIFEST_BYTES)
      const what = `manifest of image ${image.id}`
      const parsed = parseManifest(bytes, image.manifest.mediaType, what)
      if (parsed.kind === "index") throw new DataLoss(`${what} is an index`)
      return parsed.manifest
    },

    async pull(name, options) {
      const { pullImage } = await import("./pull-image.ts")
      const pulled = await pullImage(deps, records, name, options)
      return await withinCap(pulled, pulled.image)
    },

    served: async () => new (await import("./served-images.ts")).ServedImages(records, content),

    async tagsAt(repository, options) {
      const { tagsAt } = await import("./tags-at.ts")
      return await tagsAt(deps, repository, options)
    },

    async push(name, options) {
      const { pushImage } = await import("./push-image.ts")
      return await pushImage(deps, records, name, options)
    },

    async copy(from, to, options) {
      const { copyImage } = await import("./copy/copy-image.ts")
      return await withinCap(await copyImage(deps, records, from, to, options))
    },

    async convert(nameOrId, target, options) {
      const { convertImage } = await import("./convert-image.ts")
      return await convertImage(deps, records, nameOrId, target, options)
    },

    async syncPairs(sides, options) {
      const { syncPairs } = await import("./copy/sync-images.ts")
      return await syncPairs(deps, sides, options)
    },

    async podmanStore() {
      const { openPodmanStore } = await import("./podman-store/podman-store.ts")
      const store = await openPodmanStore({})
      return { ...store.location, images: store.images.filter(({ id }) => /^[0-9a-f]{64}$/.test(id)) }
    },

    async lookAt(place, options) {
      const { lookAt } = await import("./copy/look-at.ts")
      return await lookAt(deps, records, place, options)
    },

    async openAt(place, options) {
      const { openAt } = await import("./copy/look-at.ts")
      return await openAt(deps, records, place, options)
    },

    async deleteAt(name, options) {
      const { deleteAt } = await import("./copy/delete-at.ts")
      await deleteAt(deps, name, options)
    },

    async *save(names, format, options) {
      const { namedSets, savedFiles, tarOfFiles } = await import("./save/save-images.ts")
      yield* tarOfFiles(savedFiles(deps, await namedSets(deps, records, names), format, options))
      tellSaved(names)
    },

    async *saveSet(set, names, format, options) {
      const { savedFiles, tarOfFiles } = await import("./save/save-images.ts")
      yield* tarOfFiles(savedFiles(deps, [{ ...set, names: names.map(taggedName) }], format, options))
    },

    async saveSetDirectory(set, names, path, options) {
      const [{ savedFiles }, { writeDirectory }] = await Promise.all([
        import("./save/save-images.ts"),
        import("./save/write-directory.ts"),
      ])
      await writeDirectory(savedFiles(deps, [{ ...set, names: names.map(taggedName) }], "oci-dir", options), path)
    },

    async saveDirectory(names, format, path, options) {
      const [{ namedSets, savedFiles }, { writeDirectory }] = await Promise.all([
        import("./save/save-images.ts"),
        import("./save/write-directory.ts"),
      ])
      await writeDirectory(savedFiles(deps, await namedSets(deps, records, names), format, options), path)
      tellSaved(names)
    },

    async load(input, options) {
      const { loadImages } = await import("./load/load-images.ts")
      const loaded = await loadImages(deps, records, input, options)
      return await withinCap(loaded, ...loaded.map(({ image }) => image))
    },

    async record(options) {
      const { recordImage } = await import("./record-image.ts")
      return await withinCap(await recordImage(deps, records, options))
    },

    async import(source, options) {
      const { importImage } = await import("./import-image.ts")
      return await importImage(images, source, options)
    },

    async unrecorded(options, lease) {
      const { unrecordedImage } = await import("./record-image.ts")
      return await unrecordedImage(deps, records, options, lease)
    },

    async index(set, options) {
      const { makeIndex } = await import("./make-index.ts")
      return await makeIndex(deps, records, set, options)
    },

    async findSet(nameOrId) {
      const located = records.locate(nameOrId)
      if (located === undefined) return undefined
      const { imageSetOf } = await import("./image-set.ts")
      return await imageSetOf(deps, records, located.image, located.name)
    },

    attestations: (image) => records.attestations(image.id),

    async statement(attestation) {
      const { readStatement } = await import("./attestations.ts")
      return await readStatement(content, attestation)
    },

    async compressLayer(layer, form, { lease, ...options }) {
      const { LayerCompressor } = await import("./layer-compressor.ts")
      return await new LayerCompressor(deps, lease, form).layer(layer, options)
    },

    layers: (image) => records.layers(image.id),

    async createFromTar(tar, options) {
      const { createFromTar } = await import("./create-from-tar.ts")
      return await withinCap(await createFromTar(deps, records, tar, options))
    },

    async bootstrap(request) {
      const { bootstrapImage } = await import("./bootstrap/bootstrap.ts")
      return await bootstrapImage(images, request)
    },

    tag(source, target) {
      const name = taggedName(target)
      records.transaction(() => {
        const { image, name: from } = records.mustLocate(source)
        const index = from === undefined ? undefined : records.index(from)
        records.setName(name, image.id)
        records.tell("tag", image.id, { name })
        if (index !== undefined)
          records.setIndex(
            name,
            index.digest,
            index.members.map(({ id }) => id),
          )
      })
    },

    untag: (nameOrId, names = []) => untagInRecords(records, nameOrId, names),

    async remove(nameOrId, { force = false, signal } = {}) {
      const { id } = records.get(nameOrId)
      const layers = records.layers(id).map(({ chainId }) => chainId)
      const named = records.find(nameOrId)
      // a name of several goes alone
      if (named !== undefined && named.tags.length <= 1 && existsSync(deps.mounts))
        await (await import("./mounts.ts")).unmountToRemove(deps, named, force)
      const result = removeFromRecords(records, nameOrId, deps.usedBy, force)
      if (result.deleted.length === 0) return result
      const { gone } = await collectLayers(layers.toReversed(), signal)
      return { untagged: result.untagged, deleted: [...result.deleted, ...gone] }
    },

    async prune({ all = false, ids, signal } = {}) {
      const result: RemoveImageResult = { untagged: [], deleted: [] }
      const layers = new Map<string, number>()
      const mounted = existsSync(deps.mounts) ? (await import("./mounts.ts")).mountedImages(deps.mounts) : undefined
      for (const image of records.list()) {
        if (mounted?.has(digestHex(image.id))) continue
        const isNamed = image.tags.length > 0 || records.isMember(image.id)
        if ((!all && isNamed) || ids?.has(image.id) === false || deps.usedBy(image.id).length > 0) continue
        for (const { chainId, sizeBytes } of records.layers(image.id).toReversed()) layers.set(chainId, sizeBytes)
        const { untagged, deleted } = removeFromRecords(records, image.id, deps.usedBy, true)
        result.untagged.push(...untagged)
        result.deleted.push(...deleted)
      }
      // also without an image to remove: an interrupted pull or removal may have left something
      const { bytes, gone } = await collectLayers([...layers.keys()], signal)
      const reclaimedBytes = gone.reduce((sum, chainId) => sum + (layers.get(chainId) ?? 0), bytes)
      return { untagged: result.untagged, deleted: [...result.deleted, ...gone], reclaimedBytes }
    },
  }
  return images
}
