import { DataLoss } from "../base/errors.ts"
import type { ContentStore, Lease } from "../content/content.ts"
import { digestAlgorithm, type Digest } from "../spec/digest.ts"
import { MAX_MANIFEST_BYTES, type Descriptor } from "../spec/oci-image.ts"
import { parseManifest, type ParsedManifest } from "../spec/parse-manifest.ts"
import type { ImageSource } from "./image.ts"
import type { Reference } from "./reference.ts"

/** The small documents of one pull: taken from the store when they are there, else fetched, checked and kept. */
export class DocumentStore {
  readonly #content: ContentStore
  readonly #lease: Lease
  readonly #source: ImageSource
  readonly #ref: Reference

  constructor(content: ContentStore, lease: Lease, source: ImageSource, ref: Reference) {
    this.#content = content
    this.#lease = lease
    this.#source = source
    this.#ref = ref
  }

  /** The manifest or index that an index names; it must be what the index says of it. */
  async manifest(descriptor: Descriptor): Promise<ParsedManifest> {
    const { digest, mediaType, size } = descriptor
    const { registry, repository } = this.#ref
    const what = `manifest ${digest} of ${registry}/${repository}`
    const leased = await this.#leased(digest, MAX_MANIFEST_BYTES)
    if (leased) return parseManifest(leased, mediaType, what)
    const { bytes, descriptor: sent } = await this.#source.resolve({ registry, repository, digest })
    if (bytes.length !== size) throw new DataLoss(`${what} has ${bytes.length} bytes, its index says ${size}`)
    const parsed = parseManifest(bytes, sent.mediaType, what)
    if (parsed.mediaType !== mediaType)
      throw new DataLoss(`${what} is of type "${parsed.mediaType}", its index says "${mediaType.slice(0, 200)}"`)
    await this.keep(bytes, digest)
    return parsed
  }

  /** A blob of at most `maxBytes`, whole. */
  async blob(descriptor: Descriptor, maxBytes: number): Promise<Uint8Array> {
    const { digest, size } = descriptor
    if (size > maxBytes) throw new DataLoss(`blob ${digest} has ${size} bytes, the limit is ${maxBytes}`)
    const leased = await this.#leased(digest, maxBytes)
    if (leased) return leased
    const { bytes } = await this.#source.fetch(this.#ref, descriptor)
    const chunks: Uint8Array[] = []
    for await (const chunk of bytes) chunks.push(chunk)
    const whole = Buffer.concat(chunks)
    await this.keep(whole, digest)
    return whole
  }

  /** Stores bytes under `digest`. Throws DataLoss when they are others. */
  async keep(bytes: Uint8Array, digest: Digest): Promise<void> {
    const { createHash, randomUUID } = await import("node:crypto")
    const algorithm = digestAlgorithm(digest)
    const found = `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`
    if (found !== digest) throw new DataLoss(`the bytes of ${digest} have digest ${found}`)
    this.#lease.addBlob(digest)
    if (this.#content.has(digest)) return
    await using ingest = await this.#content.ingest(`document-${randomUUID()}`)
    await ingest.write(bytes)
    await ingest.commit({ digest, size: bytes.length })
  }

  async #leased(digest: Digest, maxBytes: number): Promise<Uint8Array | undefined> {
    this.#lease.addBlob(digest)
    return this.#content.has(digest) ? await this.#content.readAll(digest, maxBytes) : undefined
  }
}
