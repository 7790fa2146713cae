import { afterEach, describe, expect, test } from "bun:test"
import { createHash } from "node:crypto"
import type { RequestListener } from "node:http"
import { parseDigest } from "../../spec/digest.ts"
import { MediaType, type Descriptor } from "../../spec/oci-image.ts"
import { openRegistries } from "../open.ts"
import { referrersTag, withReferrer } from "./referrers.ts"
import { serve, type TestServer } from "./test-server.ts"

const servers: TestServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server[Symbol.asyncDispose]()
})

const digestOf = (bytes: Uint8Array | string) =>
  parseDigest(`sha256:${createHash("sha256").update(bytes).digest("hex")}`)
const described = (bytes: Uint8Array): Descriptor => ({
  mediaType: MediaType.ociManifest,
  digest: digestOf(bytes),
  size: bytes.length,
})
const subject = described(Buffer.from("subject"))
const bytes = Buffer.from('{"schemaVersion":2,"config":{}}')
const referrer = { ...described(bytes), artifactType: "application/x", annotations: { a: "b" } }

/** Manifests by their paths; `knows`: whether it keeps the lists of referrers itself. */
function registry(
  knows: boolean,
  manifests = new Map<string, Buffer>(),
): { listener: RequestListener; manifests: Map<string, Buffer> } {
  const listener: RequestListener = (request, response) => {
    const { url: path = "" } = request
    const held = manifests.get(path)
    if (request.method === "GET")
      return void response.writeHead(held ? 200 : 404, { "content-type": MediaType.ociIndex }).end(held)
    const chunks: Buffer[] = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      manifests.set(path, Buffer.concat(chunks))
      response.writeHead(201, knows ? { "oci-subject": subject.digest } : {}).end()
    })
  }
  return { listener, manifests }
}

async function attach({ listener }: { listener: RequestListener }): Promise<TestServer> {
  const server = await serve(listener)
  servers.push(server)
  const limits = { attempts: 1, retryDelayMs: 1, stallTimeoutMs: 2_000 }
  const target = await openRegistries({ limits }).openTarget({ registry: server.host, repository: "a/b", tag: "1" })
  await target.putReferrer(bytes, referrer, subject)
  return server
}

const listPath = `/v2/a/b/manifests/sha256-${subject.digest.slice("sha256:".length)}`

describe("a referrer", () => {
  test("of a registry that keeps the list is put, and no more", async () => {
    const server = await attach(registry(true))
    expect(server.seen()).toEqual([`PUT /v2/a/b/manifests/${referrer.digest}`])
  })

  test("of one that does not is added to the list under the fall-back tag, once", async () => {
    const kept = registry(false)
    await attach(kept)
    await attach(kept)
    const list = JSON.parse(kept.manifests.get(listPath)?.toString() ?? "") as object
    expect(list).toEqual({ schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: [referrer] })
  })

  test("leaves what others put into the list", async () => {
    const other = { mediaType: MediaType.ociManifest, digest: digestOf("other"), size: 5 }
    const before = { schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: [other], annotations: { k: "v" } }
    const kept = registry(false, new Map([[listPath, Buffer.from(JSON.stringify(before))]]))
    await attach(kept)
    expect(JSON.parse(kept.manifests.get(listPath)?.toString() ?? "")).toEqual({
      ...before,
      manifests: [other, referrer],
    })
  })

  test.each([
    ["an image", JSON.stringify({ schemaVersion: 2, config: subject, layers: [] })],
    ["no JSON", "<html>"],
    ["both", JSON.stringify({ schemaVersion: 2, manifests: [], layers: [] })],
  ])("is refused where the tag has %s, which stays", async (_, text) => {
    const kept = registry(false, new Map([[listPath, Buffer.from(text)]]))
    await expect(attach(kept)).rejects.toMatchObject({ code: "DataLoss" })
    expect(kept.manifests.get(listPath)?.toString()).toBe(text)
  })
})

test("the tag is the specification's, cut to its lengths", () => {
  expect(referrersTag(subject.digest)).toBe(`sha256-${subject.digest.slice(7)}`)
  expect(referrersTag(parseDigest(`sha512:${"a".repeat(128)}`))).toBe(`sha512-${"a".repeat(64)}`)
  expect(withReferrer(undefined, referrer)?.descriptor.mediaType).toBe(MediaType.ociIndex)
})
