import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { openImageStore, type ImageStore } from "../../test/support/image-store.ts"
import { ownSettings } from "../../test/support/own-settings.ts"
import { Registry } from "../../test/support/registry.ts"
import { tar } from "../../test/support/tar.ts"
import type { ProgressEvent } from "../base/progress.ts"
import type { Image } from "./image.ts"

const hasRegistry = ["docker-registry", "skopeo"].every((program) => spawnSync("which", [program]).status === 0)
const skip = process.getuid?.() !== 0 || !hasRegistry
if (skip) console.log("skipped: pushing (not root, or no docker-registry and skopeo)")

ownSettings()
let store: ImageStore
beforeEach(async () => {
  if (!skip) store = await openImageStore()
})
afterEach(async () => {
  await store?.[Symbol.asyncDispose]()
})

const raw = (name: string) =>
  JSON.parse(spawnSync("skopeo", ["inspect", "--tls-verify=false", "--raw", `docker://${name}`]).stdout.toString())

const imageOf = (architecture: string, name?: string): Promise<Image> => {
  async function* bytes() {
    yield tar([{ name: "f", content: `for ${architecture}` }])
  }
  const config = { architecture, os: "linux", created: "2026-01-01T00:00:00Z", config: {} }
  return store.images.createFromTar(bytes(), { config, createdBy: "test", ...(name === undefined ? {} : { name }) })
}

describe.skipIf(skip)("pushImage()", () => {
  let registry: Registry
  beforeAll(async () => {
    registry = await Registry.start()
  })
  afterAll(() => registry.stop())

  test("sends images of several platforms under one index", async () => {
    const name = `${registry.host}/many/x:1`
    const platforms = [await imageOf("amd64", name), await imageOf("arm64")]
    const members = platforms.map((image) => ({ image, attestations: [] }))
    const { digest } = await store.images.push(name, { images: { members } })
    const index = raw(name) as { manifests: { digest: string; platform: { architecture: string } }[] }
    expect(index.manifests.map(({ platform }) => platform.architecture)).toEqual(["amd64", "arm64"])
    // layers are compressed on their way, so the manifests are others; the images are the same
    const sent = index.manifests.map((each) => raw(`${name.slice(0, -":1".length)}@${each.digest}`))
    expect(sent).toEqual(
      platforms.map(({ id }) => expect.objectContaining({ config: expect.objectContaining({ digest: id }) })),
    )
    expect((await store.images.pull(name, { platform: { os: "linux", architecture: "arm64" } })).image.id).toBe(
      platforms[1]?.id ?? ("" as never),
    )
    expect(store.images.get(name).repoDigests).toContain(`${registry.host}/many/x@${digest}`)
  })

  test("compresses for another form once: what the registry has is known without", async () => {
    const name = `${registry.host}/zstd/x:1`
    const { id } = await imageOf("amd64", name)
    const pushed = async (): Promise<string[]> => {
      const events: ProgressEvent[] = []
      await store.images.push(name, {
        form: { compression: "zstd", every: true },
        onProgress: (event) => void events.push(event),
      })
      return [...new Set(events.filter((event) => event.id !== "").map(({ stage }) => stage))]
    }
    expect(await pushed()).toEqual(["preparing", "compressing", "uploading", "uploaded"])
    // the blob that was made is garbage now
    const { blobs } = await store.left()
    expect(await pushed()).toEqual(["preparing", "exists-there"])
    expect((await store.left()).blobs).toBe(blobs)
    expect(raw(name)).toMatchObject({ config: { digest: id }, layers: [{ mediaType: expect.stringMatching(/zstd$/) }] })
  })

  test("gives the manifest the format that is asked for; the image stays the same", async () => {
    const name = `${registry.host}/format/x:1`
    const { id } = await imageOf("amd64", name)
    await store.images.push(name, { format: "docker" })
    expect(raw(name)).toMatchObject({
      mediaType: "application/vnd.docker.distribution.manifest.v2+json",
      config: { digest: id, mediaType: "application/vnd.docker.container.image.v1+json" },
      layers: [{ mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip" }],
    })
    expect((await store.images.pull(name)).image.id).toBe(id)
    await store.images.push(name, { format: "oci" })
    expect(raw(name)).toMatchObject({ layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar+gzip" }] })
    await expect(
      store.images.push(name, { format: "docker", form: { compression: "zstd", every: true } }),
    ).rejects.toThrow(/no layers compressed by zstd/)
  })

  test("an image that is removed meanwhile goes out whole", async () => {
    const name = `${registry.host}/gone/x:1`
    const { id } = await imageOf("amd64", name)
    const removed: Promise<unknown>[] = []
    await store.images.push(name, {
      onProgress: ({ stage }) => {
        if (stage === "preparing") removed.push(store.images.remove(name, { force: true }))
      },
    })
    await Promise.all(removed)
    expect(raw(name)).toMatchObject({ config: { digest: id } })
    expect(store.images.find(name)).toBeUndefined()
  })
})
