/** One image of a registry, and whatever signatures a test attaches to it. */
import { expect } from "bun:test"
import { generateKeyPairSync, sign, type KeyObject } from "node:crypto"
import { BUSYBOX, buildImage, digestOf } from "./image.ts"
import { sharedRegistry } from "./registry.ts"
import { SigningHome } from "./signing.ts"
import { Skiff } from "./skiff.ts"

export const SIGSTORE_TYPE = "cosign container image signature"
export const SIGNATURE = "dev.cosignproject.cosign/signature"

/** What a payload says other than the right one. */
export interface Claim {
  type?: string
  image?: unknown
  identity?: unknown
  critical?: object
  rest?: object
}

/** A payload with its annotations. */
export interface SignatureLayer {
  payload: string
  annotations: Record<string, string>
}

const registry = await sharedRegistry()

/** The image, its name, the right key, and a store that it is pulled into. */
export class SignedImage {
  readonly skiff = new Skiff()
  readonly home = new SigningHome(this.skiff.home)
  readonly host = registry.host
  readonly name: string
  readonly digest: string
  readonly keys = generateKeyPairSync("ec", { namedCurve: "P-256" })
  readonly publicKey: string
  readonly #repository: string

  constructor(repository: string) {
    const { reference, descriptor } = registry.pushBuilt(`${repository}:1`, buildImage(BUSYBOX))
    this.name = reference
    this.digest = descriptor.digest
    this.#repository = repository
    this.publicKey = this.home.write("key.pub", this.keys.publicKey.export({ type: "spki", format: "pem" }))
  }

  async close(): Promise<void> {
    await this.home.close()
    await this.skiff.close()
  }

  /** It comes in, and goes again. */
  async accepted(): Promise<void> {
    expect(await this.skiff.run(["pull", "-q", this.name], { env: this.home.env })).toMatchObject({ code: 0 })
    await this.skiff.ok("rmi", this.name)
  }

  /** The message that refuses the image; nothing of it may be here afterwards. */
  async refusal(): Promise<string> {
    const { code, stderr } = await this.skiff.run(["pull", "-q", this.name], { env: this.home.env })
    expect(code).not.toBe(0)
    expect(await this.skiff.ok("images", "-aq")).toBe("")
    return stderr
  }

  sigstorePolicy(fields: object = { keyPath: this.publicKey }): void {
    this.home.policy({ [this.host]: [{ type: "sigstoreSigned", ...fields }] })
  }

  payload({ type = SIGSTORE_TYPE, image, identity, critical = {}, rest = { optional: null } }: Claim = {}): string {
    return JSON.stringify({
      critical: {
        type,
        image: image ?? { "docker-manifest-digest": this.digest },
        identity: identity ?? { "docker-reference": this.name },
        ...critical,
      },
      ...rest,
    })
  }

  sign(payload: string, key: KeyObject = this.keys.privateKey): string {
    return sign("sha256", Buffer.from(payload), key).toString("base64")
  }

  layer(payload: string, annotations: Record<string, string> = {}): SignatureLayer {
    return { payload, annotations: { [SIGNATURE]: this.sign(payload), ...annotations } }
  }

  /** Attaches these, and no others, as cosign does. */
  async attach(...layers: SignatureLayer[]): Promise<void> {
    const mediaType = "application/vnd.oci.image.manifest.v1+json"
    await this.putSignatures(mediaType, await this.#signatures(layers))
  }

  /** Attaches them by a list of referrers, under the tag of registries that keep none (distribution spec). */
  async refer(artifactType: string, ...layers: SignatureLayer[]): Promise<void> {
    const mediaType = "application/vnd.oci.image.manifest.v1+json"
    const manifest = JSON.stringify({ ...(await this.#signatures(layers)), artifactType })
    const digest = digestOf(manifest)
    await this.#put(digest, mediaType, manifest)
    const entry = { mediaType, digest, size: Buffer.byteLength(manifest), artifactType }
    const index = "application/vnd.oci.image.index.v1+json"
    const list = JSON.stringify({ schemaVersion: 2, mediaType: index, manifests: [entry] })
    await this.#put(this.digest.replace(":", "-"), index, list)
  }

  async #signatures(layers: readonly SignatureLayer[]): Promise<object> {
    const described = []
    for (const { payload, annotations } of layers) {
      await this.#putBlob(payload)
      const mediaType = "application/vnd.dev.cosign.simplesigning.v1+json"
      described.push({ mediaType, digest: digestOf(payload), size: Buffer.byteLength(payload), annotations })
    }
    const config = "{}"
    await this.#putBlob(config)
    const mediaType = "application/vnd.oci.image.manifest.v1+json"
    const of = { mediaType: "application/vnd.oci.image.config.v1+json", digest: digestOf(config), size: config.length }
    return { schemaVersion: 2, mediaType, config: of, layers: described }
  }

  async putSignatures(mediaType: string, document: object): Promise<void> {
    await this.#put(`${this.digest.replace(":", "-")}.sig`, mediaType, JSON.stringify(document))
  }

  async #put(reference: string, mediaType: string, body: string): Promise<void> {
    const headers = { "content-type": mediaType }
    const url = `http://${this.host}/v2/${this.#repository}/manifests/${reference}`
    const response = await fetch(url, { method: "PUT", headers, body })
    expect([response.status, await response.text()]).toEqual([201, ""])
  }

  async #putBlob(content: string): Promise<void> {
    const begun = await fetch(`http://${this.host}/v2/${this.#repository}/blobs/uploads/`, { method: "POST" })
    const to = new URL(begun.headers.get("location") ?? "", `http://${this.host}`)
    to.searchParams.set("digest", digestOf(content))
    expect((await fetch(to, { method: "PUT", body: content })).status).toBe(201)
  }
}
