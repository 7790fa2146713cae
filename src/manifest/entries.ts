/** What an image is as an entry of a list. */
import { NotFound } from "../base/errors.ts"
import { type Images, parseReference } from "../image/image.ts"
import type { Registries, RemoteReference } from "../registry/registry.ts"
import { parseImageConfig, MAX_CONFIG_BYTES } from "../spec/parse-image-config.ts"
import { parseManifest, type ParsedManifest } from "../spec/parse-manifest.ts"
import type { Descriptor } from "../spec/oci-image.ts"
import { hostPlatform, samePlatform, type Platform } from "../spec/platform.ts"
import type { AddOptions, EntryChanges, ManifestEntry } from "./manifest.ts"

/** Where images are looked for. */
export interface EntrySources {
  images(): Promise<Images>
  registries(): Promise<Registries>
}

const TRANSPORT = "docker://"

/** The entries that an image makes: one, or with `all` those of its index. Throws NotFound, Unavailable. */
export async function entriesOf(sources: EntrySources, image: string, options: AddOptions): Promise<ManifestEntry[]> {
  const images = await sources.images()
  const isRemote = image.startsWith(TRANSPORT)
  const local = isRemote ? undefined : await images.findSet(image)
  if (local !== undefined) {
    const members = options.all ? local.members : local.members.slice(0, 1)
    return members.map(({ image: { id, manifest, platform } }) => ({
      descriptor: { ...plain(manifest), platform: plainPlatform(platform) },
      source: { image: id },
    }))
  }
  return remoteEntries(sources, isRemote ? image.slice(TRANSPORT.length) : image, options)
}

async function remoteEntries(sources: EntrySources, name: string, options: AddOptions): Promise<ManifestEntry[]> {
  const { tag, ...ref } = parseReference(name)
  const from: RemoteReference = { ...ref, ...(ref.digest === undefined && { tag: tag ?? "latest" }) }
  const source = await (await sources.registries()).open(options)
  const { descriptor, bytes } = await source.resolve(from)
  const repository = `${ref.registry}/${ref.repository}`
  const entry = (one: Descriptor): ManifestEntry => ({
    descriptor: plain(one),
    source: { reference: `${repository}@${one.digest}` },
  })
  const parsed = parseManifest(bytes, descriptor.mediaType, `manifest of ${name}`)
  if (parsed.kind === "index") {
    const { manifests } = parsed.index
    if (options.all) return manifests.map(entry)
    const own = manifests.find(({ platform }) => platform !== undefined && samePlatform(platform, hostPlatform()))
    if (own === undefined)
      throw new NotFound(`${name} has no image for this machine`, {
        hint: "add all of its images, or one by its digest",
      })
    return [entry(own)]
  }
  const config = await platformOf(parsed, (one) => readSmall(source, from, one))
  return [entry({ ...descriptor, ...(config !== undefined && { platform: config }) })]
}

/** Of an image its config says it; of anything else nobody does. */
async function platformOf(
  { manifest }: Extract<ParsedManifest, { kind: "manifest" }>,
  read: (config: Descriptor) => Promise<Uint8Array>,
): Promise<Platform | undefined> {
  if (!/image.*config|container\.image/.test(manifest.config.mediaType)) return undefined
  const { os, architecture, variant } = parseImageConfig(await read(manifest.config), "image config")
  return plainPlatform({ os, architecture, ...(variant !== undefined && { variant }) })
}

async function readSmall(
  source: Awaited<ReturnType<Registries["open"]>>,
  from: RemoteReference,
  blob: Descriptor,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of (await source.fetch(from, blob)).bytes) {
    length += chunk.length
    if (length > MAX_CONFIG_BYTES) throw new NotFound(`the config of ${from.repository} is too large to be one`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** The same with what is said of it. */
export function changedEntry({ descriptor, source }: ManifestEntry, changes: EntryChanges): ManifestEntry {
  const { os, architecture, variant, osVersion, osFeatures, features, annotations } = changes
  const platform = {
    ...descriptor.platform,
    ...(os !== undefined && { os }),
    ...(architecture !== undefined && { architecture }),
    ...(variant !== undefined && { variant }),
    ...(osVersion !== undefined && { "os.version": osVersion }),
    ...(osFeatures !== undefined && { "os.features": osFeatures }),
    ...(features !== undefined && { features }),
  } as Platform
  const all = { ...descriptor.annotations, ...annotations }
  return {
    source,
    descriptor: {
      ...descriptor,
      ...(Object.keys(platform).length > 0 && { platform }),
      ...(Object.keys(all).length > 0 && { annotations: all }),
    },
  }
}

function plain({ mediaType, digest, size, platform, annotations, artifactType }: Descriptor): Descriptor {
  return {
    mediaType,
    digest,
    size,
    ...(artifactType !== undefined && { artifactType }),
    ...(platform !== undefined && { platform }),
    ...(annotations !== undefined && { annotations }),
  }
}

function plainPlatform({ os, architecture, variant }: Platform): Platform {
  return { architecture, os, ...(variant !== undefined && { variant }) }
}
