/** The local images as a registry that is only read: `skiff registry serve` without a directory. */
import { NotFound } from "../base/errors.ts"
import type { ContentStore } from "../content/content.ts"
import type {
  ManifestReference,
  Page,
  PageRequest,
  RegistryStore,
  ServedBlob,
  ServedManifest,
} from "../registry/registry.ts"
import type { Digest } from "../spec/digest.ts"
import { MAX_MANIFEST_BYTES } from "../spec/oci-image.ts"
import { parseManifest } from "../spec/parse-manifest.ts"
import type { Image } from "./image.ts"
import { digestOf } from "./documents.ts"
import { withKeptLayers } from "./kept-layers.ts"
import { readManifest, type LeasedManifest } from "./leased-manifest.ts"
import type { ImageRecords } from "./records.ts"
import { parseReference } from "./reference.ts"

/** One name of an image, as a registry has it. */
interface ServedName {
  /** Full, as recorded. */
  name: string
  repository: string
  tag: string
}

/**
 * A name's repository here: that of docker.io and of registries on a port without them, others below their registry's name. Docker's own
 * images go without `library/` as well.
 */
export class ServedImages implements RegistryStore {
  readonly #records: ImageRecords
  readonly #content: ContentStore

  constructor(records: ImageRecords, content: ContentStore) {
    this.#records = records
    this.#content = content
  }

  async repositories({ last = "", limit }: PageRequest): Promise<Page> {
    const names = [...new Set(this.#names().map(({ repository }) => repository))].toSorted()
    return pageOf(names, last, limit)
  }

  async tags(repository: string, { last = "", limit }: PageRequest): Promise<Page> {
    const tags = this.#named(repository).map(({ tag }) => tag)
    if (tags.length === 0) throw new NotFound(`no repository ${repository}`)
    return pageOf(tags.toSorted(), last, limit)
  }

  async has(repository: string): Promise<boolean> {
    return this.#named(repository).length > 0
  }

  async blob(repository: string, digest: Digest): Promise<ServedBlob | undefined> {
    for (const image of this.#images(repository)) {
      const { config, layers } = (await this.#keptManifest(image)).manifest
      const found = [config, ...layers].find((one) => one.digest === digest)
      // of a build's layer there are the files alone: its bytes are made of them
      if (found !== undefined) return { digest, size: found.size, read: (range) => this.#content.read(digest, range) }
    }
    return undefined
  }

  async manifest(repository: string, reference: ManifestReference): Promise<ServedManifest | undefined> {
    for (const { name, tag } of this.#named(repository)) {
      if ("tag" in reference && tag !== reference.tag) continue
      const index = this.#records.index(name)
      const single = index === undefined ? this.#records.find(name) : undefined
      const members = index?.members ?? (single === undefined ? [] : [single])
      const top = index?.digest ?? single?.manifest.digest
      if (top === undefined) continue
      if (index !== undefined && ("tag" in reference || reference.digest === top)) return this.#read(top)
      const wanted = "tag" in reference ? top : reference.digest
      for (const member of members) {
        const { bytes, mediaType } = await this.#keptManifest(member)
        const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length }
        if (wanted === member.manifest.digest || wanted === descriptor.digest)
          // of layers that were fetched in parts others stand in it: by the digest of before it cannot be had
          return "tag" in reference || wanted === descriptor.digest ? { descriptor, bytes } : undefined
      }
    }
    return undefined
  }

  async referrers(): Promise<[]> {
    return []
  }

  async #read(digest: Digest): Promise<ServedManifest> {
    const bytes = await this.#content.readAll(digest, MAX_MANIFEST_BYTES)
    const { mediaType } = parseManifest(bytes, undefined, `manifest ${digest}`)
    return { descriptor: { mediaType, digest, size: bytes.length }, bytes }
  }

  async #keptManifest(image: Image): Promise<LeasedManifest> {
    return withKeptLayers(this.#content, await readManifest(this.#content, image))
  }

  *#images(repository: string): Generator<Image> {
    for (const { name } of this.#named(repository)) {
      const image = this.#records.find(name)
      yield* this.#records.index(name)?.members ?? (image === undefined ? [] : [image])
    }
  }

  #named(repository: string): ServedName[] {
    const short = repository.replace(/^library\//, "")
    return this.#names().filter((one) => one.repository === short)
  }

  #names(): ServedName[] {
    return this.#records.names().flatMap((name) => {
      const { registry, repository, tag } = parseReference(name)
      if (tag === undefined) return []
      const isBare = registry === "docker.io" || registry.includes(":") || registry === "localhost"
      return [{ name, tag, repository: isBare ? repository.replace(/^library\//, "") : `${registry}/${repository}` }]
    })
  }
}

function pageOf(names: readonly string[], last: string, limit: number): Page {
  const rest = names.filter((name) => name > last)
  return { names: rest.slice(0, limit), hasMore: rest.length > limit }
}
