import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { openImageStore, type ImageStore } from "../../test/support/image-store.ts"
import { ownSettings } from "../../test/support/own-settings.ts"
import { Registry } from "../../test/support/registry.ts"
import { tar } from "../../test/support/tar.ts"
import type { Bytes } from "../base/bytes.ts"
import { MediaType, type Descriptor, type ImageManifest } from "../spec/oci-image.ts"
import type { Statement } from "../spec/in-toto.ts"
import { newDocument } from "./documents.ts"
import type { Attestation, ImageMember } from "./image.ts"

const hasRegistry = ["docker-registry", "skopeo"].every((program) => spawnSync("which", [program]).status === 0)
const skip = process.getuid?.() !== 0 || !hasRegistry
if (skip) console.log("skipped: attestations of images (not root, or no docker-registry and skopeo)")

ownSettings()
let store: ImageStore
beforeEach(async () => {
  if (!skip) store = await openImageStore()
})
afterEach(async () => {
  await store?.[Symbol.asyncDispose]()
})

const SBOM = { predicateType: "https://spdx.dev/Document", predicate: { packages: ["a"] } }
const PROVENANCE = { predicateType: "https://slsa.dev/provenance/v1", predicate: { run: 1 } }

/** An image that is attested, under these names. */
async function attested(architecture: string, tags: string[], predicates = [SBOM, PROVENANCE]): Promise<ImageMember> {
  async function* bytes() {
    yield tar([{ name: "f", content: `for ${architecture}` }])
  }
  const config = { architecture, os: "linux", created: "2026-01-01T00:00:00Z", config: {} }
  const image = await store.images.createFromTar(bytes(), { config, createdBy: "test" })
  const { layers } = await store.images.manifest(image)
  const member = await store.images.record({
    config: await store.images.config(image),
    layers: layers.map((descriptor) => ({ descriptor, sizeBytes: 1 })),
    format: "oci",
    tags,
    predicates,
  })
  if (member.image.id !== image.id) await store.images.remove(image.id)
  return member
}

async function written(bytes: Bytes, path: string): Promise<void> {
  const chunks: Uint8Array[] = []
  for await (const chunk of bytes) chunks.push(Buffer.from(chunk))
  writeFileSync(path, Buffer.concat(chunks))
}

describe.skipIf(skip)("attestations", () => {
  test("are there as long as their image, and newer ones take the place of those of their type", async () => {
    const { image, attestations } = await attested("amd64", ["localhost/x:1"])
    expect(attestations).toHaveLength(2)
    expect(store.images.attestations(image)).toEqual(attestations.toReversed())
    const { blobs } = await store.left()
    await attested("amd64", ["localhost/x:1"], [{ ...PROVENANCE, predicate: { run: 2 } as never }])
    expect((await store.left()).blobs).toBe(blobs)
    const [sbom, provenance] = [SBOM, PROVENANCE].map(({ predicateType }) =>
      store.images.attestations(image).find((each) => each.predicateType === predicateType),
    )
    if (!sbom || !provenance) throw new Error("an attestation is missing")
    expect((await store.images.statement(provenance)).predicate).toEqual({ run: 2 })
    expect(await store.images.statement(sbom)).toMatchObject({
      _type: "https://in-toto.io/Statement/v1",
      subject: [
        { name: "pkg:docker/localhost/x@1?platform=linux%2Famd64", digest: { sha256: image.manifest.digest.slice(7) } },
      ],
    })
    await store.images.remove("localhost/x:1")
    expect(await store.left()).toMatchObject({ blobs: 0, snapshots: 0 })
  })

  test("of an image in no record live as long as the lease", async () => {
    const { image } = await attested("amd64", ["localhost/x:1"], [])
    const { blobs } = await store.left()
    const { layers } = await store.images.manifest(image)
    const config = { ...(await store.images.config(image)), author: "draft" }
    const leases = (await import("../content/leases.ts")).openLeases({
      db: new (await import("../base/database.ts")).Database(join(store.root, "skiff.db")),
    })
    {
      await using lease = await leases.open()
      const parts = {
        config,
        layers: layers.map((descriptor) => ({ descriptor, sizeBytes: 1 })),
        format: "oci" as const,
      }
      const draft = await store.images.unrecorded({ ...parts, predicates: [SBOM] }, lease)
      expect(store.images.find(draft.image.id)).toBeUndefined()
      expect((await store.left()).blobs).toBe(blobs + 3)
      const path = join(store.root, "draft.tar")
      await written(store.images.saveSet({ members: [draft] }, ["localhost/d:1"], "oci-archive"), path)
      const raw = JSON.parse(spawnSync("skopeo", ["inspect", "--raw", `oci-archive:${path}`]).stdout.toString()) as {
        manifests: object[]
      }
      expect(raw.manifests).toHaveLength(2)
      rmSync(path)
    }
    expect((await store.left()).blobs).toBe(blobs)
  })
})

describe.skipIf(skip)("an archive", () => {
  test("brings in what is attested of its image", async () => {
    const { image, attestations } = await attested("amd64", ["localhost/x:1"])
    const path = join(store.root, "x.tar")
    await written(store.images.save(["localhost/x:1"], "oci-archive"), path)
    await store.images.remove("localhost/x:1")
    const [loaded] = await store.images.load({ path })
    expect(loaded?.image.id).toBe(image.id)
    const found = store.images.attestations(image)
    expect(found).toEqual(attestations.toReversed())
    expect(await store.images.statement(found[1] as Attestation)).toMatchObject(SBOM)
    await store.images.remove("localhost/x:1")
    rmSync(path)
    expect(await store.left()).toMatchObject({ blobs: 0, snapshots: 0 })
  })

  test("whose statement is about another image is refused, and leaves nothing", async () => {
    await attested("amd64", ["localhost/x:1"], [SBOM])
    const directory = join(store.root, "layout")
    await store.images.saveDirectory(["localhost/x:1"], "oci-dir", directory)
    await store.images.remove("localhost/x:1")
    const blob = (digest: string) => join(directory, "blobs", "sha256", digest.slice(7))
    const read = (digest: string) => JSON.parse(readFileSync(blob(digest), "utf8"))
    const write = (document: unknown) => {
      const { bytes, descriptor } = newDocument(document, "")
      writeFileSync(blob(descriptor.digest), bytes)
      return { digest: descriptor.digest, size: descriptor.size }
    }
    // the chain from the statement up, each with the digest of the one below
    const layout = JSON.parse(readFileSync(join(directory, "index.json"), "utf8"))
    const index = read(layout.manifests[0].digest)
    const manifest = read(index.manifests[1].digest)
    const statement = read(manifest.layers[0].digest)
    statement.subject[0].digest.sha256 = "a".repeat(64)
    Object.assign(manifest.layers[0], write(statement))
    Object.assign(index.manifests[1], write(manifest))
    Object.assign(layout.manifests[0], write(index))
    writeFileSync(join(directory, "index.json"), JSON.stringify(layout))
    await expect(store.images.load({ path: directory })).rejects.toMatchObject({ code: "DataLoss" })
    rmSync(directory, { recursive: true })
    expect(await store.left()).toMatchObject({ blobs: 0, snapshots: 0 })
  })
})

describe.skipIf(skip)("pushing", () => {
  let registry: Registry
  beforeAll(async () => {
    registry = await Registry.start()
  })
  afterAll(() => registry.stop())

  const get = async <T>(path: string, accept: string): Promise<T> =>
    (await (await fetch(`http://${registry.host}/v2/${path}`, { headers: { accept } })).json()) as T
  const referrersOf = (repository: string, digest: string) =>
    get<{ manifests: Descriptor[] }>(`${repository}/manifests/${digest.replace(":", "-")}`, MediaType.ociIndex)

  test("an image sends what is attested of it: statements of the manifest as the registry has it, listed once", async () => {
    const name = `${registry.host}/at/x:1`
    await attested("amd64", [name])
    // the layers change their form on the way, and with them the manifest its digest
    const form = { compression: "zstd", every: true } as const
    const { digest } = await store.images.push(name, { form })
    expect((await store.images.push(name, { form })).digest).toBe(digest)
    const { manifests } = await referrersOf("at/x", digest)
    expect(manifests.map(({ annotations }) => annotations?.["in-toto.io/predicate-type"])).toEqual([
      PROVENANCE.predicateType,
      SBOM.predicateType,
    ])
    for (const { digest: own, artifactType } of manifests) {
      expect(artifactType).toBe("application/vnd.in-toto+json")
      const manifest = await get<ImageManifest>(`at/x/manifests/${own}`, MediaType.ociManifest)
      expect(manifest.subject?.digest).toBe(digest)
      const statement = await get<Statement>(`at/x/blobs/${manifest.layers[0]?.digest}`, "*/*")
      expect(statement.subject).toEqual([
        {
          name: `pkg:docker/${registry.host.replace(":", "%3A")}/at/x@1?platform=linux%2Famd64`,
          digest: { sha256: digest.slice(7) },
        },
      ])
    }
    // the tag still leads to the image itself
    expect((await store.images.pull(name)).digest).toBe(digest)
  })

  test("to a registry that takes no artifacts says that the image itself was pushed", async () => {
    const upstream = registry.host
    const server = createServer(async (request, response) => {
      const chunks: Uint8Array[] = []
      for await (const chunk of request) chunks.push(chunk as Uint8Array)
      const body = Buffer.concat(chunks)
      if (request.method === "PUT" && body.includes("artifactType"))
        return response
          .writeHead(400)
          .end(JSON.stringify({ errors: [{ code: "MANIFEST_INVALID", message: "no image" }] }))
      const { host: _, "content-length": __, ...headers } = request.headers
      const sends = request.method !== "GET" && request.method !== "HEAD"
      const answer = await fetch(`http://${upstream}${request.url}`, {
        method: request.method,
        headers: headers as Record<string, string>,
        ...(sends ? { body } : {}),
      })
      const length = answer.headers.get("content-length")
      const location = answer.headers.get("location")?.replace(upstream, request.headers.host ?? "")
      response.writeHead(answer.status, {
        ...(length === null || sends ? {} : { "content-length": length }),
        ...(location === undefined ? {} : { location }),
      })
      response.end(request.method === "HEAD" ? undefined : Buffer.from(await answer.arrayBuffer()))
    })
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening))
    try {
      const name = `127.0.0.1:${(server.address() as AddressInfo).port}/at/plain:1`
      await attested("amd64", [name])
      await expect(store.images.push(name)).rejects.toMatchObject({
        message: expect.stringContaining("no image"),
        hint: expect.stringContaining("the image itself was pushed"),
      })
      expect(await get<ImageManifest>("at/plain/manifests/1", MediaType.ociManifest)).toHaveProperty("layers")
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })

  test("a name of several platforms sends all of them, each with its own; by digest alone no tag is set", async () => {
    const name = `${registry.host}/at/many:1`
    const members = [await attested("amd64", [name]), await attested("arm64", [], [SBOM])]
    await store.images.index({ members, annotations: { index: { k: "v" } } }, { format: "oci", names: [name] })
    store.images.tag(name, `${registry.host}/at/other:2`)
    const { digest } = await store.images.push(`${registry.host}/at/other:2`, { byDigest: true })
    expect((await fetch(`http://${registry.host}/v2/at/other/manifests/2`)).status).toBe(404)
    const index = await get<{ manifests: Descriptor[]; annotations: object }>(
      `at/other/manifests/${digest}`,
      MediaType.ociIndex,
    )
    expect(index.annotations).toEqual({ k: "v" })
    expect(index.manifests.map(({ platform }) => platform?.architecture)).toEqual(["amd64", "arm64"])
    const counts = await Promise.all(
      index.manifests.map(async (each) => (await referrersOf("at/other", each.digest)).manifests.length),
    )
    expect(counts).toEqual([2, 1])
  })
})

const inspect = (...words: string[]) =>
  JSON.parse(spawnSync("skopeo", ["inspect", ...words]).stdout.toString()) as Record<string, unknown>

const many = async (): Promise<ImageMember[]> => {
  const members = [await attested("amd64", ["localhost/m:1"]), await attested("arm64", [])]
  await store.images.index({ members }, { format: "oci", names: ["localhost/m:1"] })
  return members
}

describe.skipIf(skip)("a name of several platforms", () => {
  test("keeps all its images, and takes them with it", async () => {
    const members = await many()
    await store.images.prune()
    for (const { image } of members) expect(store.images.find(image.id)).toBeDefined()
    store.images.tag("localhost/m:1", "localhost/m:2")
    await store.images.remove("localhost/m:1")
    for (const { image } of members) expect(store.images.find(image.id)).toBeDefined()
    const { deleted } = await store.images.remove("localhost/m:2")
    expect(deleted).toEqual(expect.arrayContaining(members.map(({ image }) => image.id)))
    expect(await store.left()).toMatchObject({ blobs: 0, snapshots: 0 })
  })

  test("that is given to another image leaves the others without a name", async () => {
    const [first, second] = await many()
    await attested("386", ["localhost/m:1"])
    expect((await store.images.prune()).deleted).toEqual(
      expect.arrayContaining([first?.image.id, second?.image.id] as string[]),
    )
  })

  test("is saved as one, with all platforms; a docker archive has the first", async () => {
    const members = await many()
    const path = join(store.root, "many.tar")
    await written(store.images.save(["localhost/m:1"], "oci-archive"), path)
    for (const { image } of members) {
      const { architecture } = image.platform
      const config = inspect("--override-arch", architecture, "--config", "--raw", `oci-archive:${path}`)
      expect(config.architecture).toBe(architecture)
    }
    await written(store.images.save(["localhost/m:1"], "docker-archive"), path)
    expect(inspect(`docker-archive:${path}`).Architecture).toBe("amd64")
  })
})
