/** What `RegistrySource` and `RegistryTarget` must do at every registry, and images of its like. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test"
import { createHash } from "node:crypto"
import { parseDigest, type Digest } from "../spec/digest.ts"
import { MediaType, type Descriptor } from "../spec/oci-image.ts"
import type { Registries, RegistryOptions, RegistrySource, RegistryTarget } from "./registry.ts"

export interface TestedRegistry {
  /** With its port. */
  host: string
  /** How it is spoken to. */
  access: RegistryOptions
  stop(): void | Promise<void>
}

const digestOf = (bytes: Uint8Array): Digest =>
  parseDigest(`sha256:${createHash("sha256").update(bytes).digest("hex")}`)
const described = (bytes: Uint8Array, mediaType: string): Descriptor => ({
  mediaType,
  digest: digestOf(bytes),
  size: bytes.length,
})

const blob = Buffer.alloc(1_500_000, "0123456789abcdef")
const layer = described(blob, MediaType.ociLayer)
const configBytes = Buffer.from('{"architecture":"amd64","os":"linux"}')
const config = described(configBytes, MediaType.ociConfig)
const manifestBytes = Buffer.from(
  JSON.stringify({ schemaVersion: 2, mediaType: MediaType.ociManifest, config, layers: [layer] }),
)
const manifest = described(manifestBytes, MediaType.ociManifest)

async function* from(bytes: Uint8Array, offset: number): AsyncGenerator<Uint8Array> {
  for (let at = offset; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536)
}

async function collected(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of bytes) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

function unread(): never {
  throw new Error("it is there")
}

/** `start` gives a registry that is empty. */
export function registrySuite(title: string, open: () => Registries, start: () => Promise<TestedRegistry>): void {
  let registry: TestedRegistry
  let source: RegistrySource
  let target: RegistryTarget
  let count = 0
  let repository: string
  beforeAll(async () => {
    registry = await start()
  })
  afterAll(() => registry.stop())
  beforeEach(async () => {
    repository = `suite/r${count++}`
    source = await open().open(registry.access)
    target = await open().openTarget({ registry: registry.host, repository }, registry.access)
  })
  const ref = (tag?: string) => ({ registry: registry.host, repository, ...(tag === undefined ? {} : { tag }) })

  async function pushed(tag?: string): Promise<void> {
    await target.upload(layer, (offset) => from(blob, offset))
    await target.upload(config, (offset) => from(configBytes, offset))
    await target.putManifest(manifestBytes, manifest, tag)
  }

  describe(title, () => {
    test("a blob is sent once: then it is there", async () => {
      expect(await target.has(layer)).toBe(false)
      const sent: number[] = []
      const onProgress = (bytes: number) => void sent.push(bytes)
      expect(await target.upload(layer, (offset) => from(blob, offset), { onProgress })).toEqual({ how: "uploaded" })
      expect(sent.at(-1)).toBe(layer.size)
      expect(await target.has(layer)).toBe(true)
      expect(await target.upload(layer, unread)).toEqual({ how: "there" })
    })

    test("bytes that are not the digest's are refused, and not there", async () => {
      const other = Buffer.alloc(layer.size, "x")
      await expect(target.upload(layer, (offset) => from(other, offset))).rejects.toThrow()
      expect(await target.has(layer)).toBe(false)
    })

    test("a manifest comes back byte for byte, by its tag and by its digest", async () => {
      await pushed("1")
      await pushed("1") // safe to repeat
      for (const name of [ref("1"), { ...ref(), digest: manifest.digest }]) {
        const { descriptor, bytes } = await source.resolve(name)
        expect(descriptor).toMatchObject(manifest)
        expect(manifestBytes.equals(bytes)).toBe(true)
      }
    })

    test("a manifest without a tag is found by its digest alone", async () => {
      await pushed()
      expect((await source.resolve({ ...ref(), digest: manifest.digest })).descriptor.size).toBe(manifest.size)
      await expect(source.resolve(ref("1"))).rejects.toMatchObject({ code: "NotFound" })
    })

    test("a blob comes from any offset, or says that it comes from its beginning", async () => {
      await pushed()
      for (const asked of [0, 1, layer.size - 1]) {
        const { offset, bytes } = await source.fetch(ref(), layer, asked)
        expect([0, asked]).toContain(offset)
        expect(blob.subarray(offset).equals(await collected(bytes))).toBe(true)
      }
    })

    test("tags are listed; of what is not there all calls are NotFound", async () => {
      await pushed("2")
      await pushed("1")
      expect((await source.tags(ref())).toSorted()).toEqual(["1", "2"])
      const absent = { ...ref("1"), repository: "suite/absent" }
      await expect(source.resolve(absent)).rejects.toMatchObject({ code: "NotFound" })
      const gone = described(Buffer.from("gone"), MediaType.ociLayer)
      await expect(source.fetch(ref(), gone)).rejects.toMatchObject({ code: "NotFound" })
    })

    test("what refers to a manifest is stored beside it", async () => {
      await pushed("1")
      await target.upload(config, (offset) => from(configBytes, offset))
      const text = JSON.stringify({
        schemaVersion: 2,
        mediaType: MediaType.ociManifest,
        artifactType: "application/x",
        config,
        layers: [],
        subject: manifest,
      })
      const bytes = Buffer.from(text)
      const referrer = described(bytes, MediaType.ociManifest)
      for (let time = 0; time < 2; time++) await target.putReferrer(bytes, referrer, manifest)
      expect((await source.resolve({ ...ref(), digest: referrer.digest })).descriptor.size).toBe(referrer.size)
    })

    test("a cancelled call ends, and what it began can be done again", async () => {
      const stop = new AbortController()
      const options = { ...registry.access, signal: stop.signal }
      const stopped = await open().openTarget(ref(), options)
      async function* cut(offset: number): AsyncGenerator<Uint8Array> {
        yield blob.subarray(offset, offset + 65_536)
        stop.abort(new Error("enough"))
        yield* from(blob, offset + 65_536)
      }
      await expect(stopped.upload(layer, cut)).rejects.toThrow()
      expect(await target.has(layer)).toBe(false)
      expect(await target.upload(layer, (offset) => from(blob, offset))).toEqual({ how: "uploaded" })
      const reading = await open().open(options)
      await expect(reading.resolve(ref("1"))).rejects.toThrow()
    })
  })
}
