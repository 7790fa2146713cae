/** What a page shows of a manifest: read from the store, and believed of nothing. */
import { parseJson } from "../../../spec/parse-document.ts"
import { MediaType, type Descriptor, type ImageIndex, type ImageManifest } from "../../../spec/oci-image.ts"
import { isImageConfig, parseManifest } from "../../../spec/parse-manifest.ts"
import type { RegistryStore, ServedManifest } from "../server.ts"

/** A manifest or index. */
export interface ImageFacts {
  descriptor: Descriptor
  /** `linux/amd64`; undefined where none is said. */
  platform: string | undefined
  /** Of an artifact. */
  artifactType: string | undefined
  createdAt: string | undefined
  /** Config and layers together; undefined where something of it is not here. */
  sizeBytes: number | undefined
  layers: readonly Descriptor[]
  labels: readonly (readonly [string, string])[]
  /** Of an index. */
  members: readonly ImageFacts[]
  /** How many members of the index are not shown. */
  more: number
}

/** Of one index. */
const MAX_MEMBERS = 20
/** Of a config, which is read for a platform and labels alone. */
const MAX_CONFIG_BYTES = 1024 ** 2
const MAX_LABELS = 50

/** Reads it, and of an index its members. */
export async function imageFacts(store: RegistryStore, repository: string, found: ServedManifest): Promise<ImageFacts> {
  const { descriptor, bytes } = found
  try {
    const parsed = parseManifest(bytes, descriptor.mediaType)
    if (parsed.kind === "manifest") return await manifestFacts(store, repository, descriptor, parsed.manifest)
    return await indexFacts(store, repository, descriptor, parsed.index)
  } catch {
    return { ...NOTHING, descriptor } // it was taken, and is none that we know
  }
}

const NOTHING = {
  platform: undefined,
  artifactType: undefined,
  createdAt: undefined,
  sizeBytes: undefined,
  layers: [],
  labels: [],
  members: [],
  more: 0,
} satisfies Omit<ImageFacts, "descriptor">

async function indexFacts(
  store: RegistryStore,
  repository: string,
  descriptor: Descriptor,
  index: ImageIndex,
): Promise<ImageFacts> {
  const shown = index.manifests.slice(0, MAX_MEMBERS)
  const members: ImageFacts[] = []
  for (const entry of shown) {
    const platform = entry.platform && platformText(entry.platform)
    const found = await store.manifest(repository, { digest: entry.digest })
    // a member is not followed further: an index in an index is one line
    const isIndex = entry.mediaType === MediaType.ociIndex || entry.mediaType === MediaType.dockerList
    const own =
      found === undefined || isIndex ? { ...NOTHING, descriptor: entry } : await imageFacts(store, repository, found)
    members.push({ ...own, descriptor: entry, platform: platform ?? own.platform })
  }
  const sizes = members.map(({ sizeBytes }) => sizeBytes)
  const isWhole = shown.length === index.manifests.length && sizes.every((size) => size !== undefined)
  return {
    ...NOTHING,
    descriptor,
    labels: pairs(index.annotations),
    members,
    more: index.manifests.length - shown.length,
    sizeBytes: isWhole ? sizes.reduce((sum: number, size) => sum + (size ?? 0), 0) : undefined,
  }
}

async function manifestFacts(
  store: RegistryStore,
  repository: string,
  descriptor: Descriptor,
  { config, layers, artifactType, annotations }: ImageManifest,
): Promise<ImageFacts> {
  const isImage = isImageConfig(config.mediaType) && artifactType === undefined
  const document = isImage ? await configOf(store, repository, config) : {}
  const { os, architecture, variant, created, config: run } = document
  const labels = (run as { Labels?: unknown } | undefined)?.Labels
  return {
    ...NOTHING,
    descriptor,
    platform: isImage && typeof os === "string" ? platformText({ os, architecture, variant }) : undefined,
    artifactType: isImage ? undefined : (artifactType ?? config.mediaType),
    createdAt: typeof created === "string" ? created.slice(0, 19).replace("T", " ") : undefined,
    sizeBytes: [config, ...layers].reduce((sum, { size }) => sum + size, 0),
    layers,
    labels: [...pairs(annotations), ...pairs(labels)].slice(0, MAX_LABELS),
  }
}

async function configOf(
  store: RegistryStore,
  repository: string,
  { digest, size }: Descriptor,
): Promise<Record<string, unknown>> {
  try {
    const blob = size <= MAX_CONFIG_BYTES ? await store.blob(repository, digest) : undefined
    if (blob === undefined || blob.size > MAX_CONFIG_BYTES) return {}
    const chunks: Uint8Array[] = []
    for await (const chunk of blob.read()) chunks.push(new Uint8Array(chunk))
    const document = parseJson(Buffer.concat(chunks), "config")
    return typeof document === "object" && document !== null ? (document as Record<string, unknown>) : {}
  } catch {
    return {} // it was pushed as a config, and is none
  }
}

function platformText({
  os,
  architecture,
  variant,
}: {
  os?: unknown
  architecture?: unknown
  variant?: unknown
}): string {
  return [os, architecture, variant].filter((part) => typeof part === "string" && part !== "").join("/")
}

function pairs(value: unknown): [string, string][] {
  if (typeof value !== "object" || value === null) return []
  return Object.entries(value)
    .filter((entry): entry is [string, string] => typeof entry[1] === "string")
    .slice(0, MAX_LABELS)
}
