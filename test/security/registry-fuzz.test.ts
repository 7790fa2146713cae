/**
 * A registry that is sent mutated requests: none makes it fail, hang or keep a blob under a digest that is not its own. A few seconds here; the
 * whole by `npm run fuzz`, whose seed and count are SKIFF_FUZZ_SEED and SKIFF_FUZZ.
 *
 * One user is enough.
 */
import { afterAll, beforeAll, expect, test } from "bun:test"
import { createHash } from "node:crypto"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { openContentStore } from "../../src/content/open.ts"
import { OPEN_ACCESS } from "../../src/registry/server/access.ts"
import { serve } from "../../src/registry/server/serve.ts"
import type { RegistryServer } from "../../src/registry/server/server.ts"
import { DirectoryStore } from "../../src/registry/server/store/directory-store.ts"

const COUNT = Number(process.env.SKIFF_FUZZ ?? 10_000)
const SEED = Number(process.env.SKIFF_FUZZ_SEED ?? 1)
const AT_ONCE = 32
/** A request that is cut off in its middle is waited for by the server: we hang up. */
const PATIENCE_MS = 500

const digestOf = (bytes: string | Uint8Array, algorithm = "sha256") =>
  `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`
const CONFIG = "{}"
const IMAGE = JSON.stringify({
  schemaVersion: 2,
  mediaType: "application/vnd.oci.image.manifest.v1+json",
  config: { mediaType: "x/y", digest: digestOf(CONFIG), size: CONFIG.length },
  layers: [],
  subject: { mediaType: "x/y", digest: digestOf("subject"), size: 7 },
})

let directory: string
let store: DirectoryStore
let server: RegistryServer
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "skiff-registry-fuzz-"))
  store = new DirectoryStore(join(directory, "store"), openContentStore({ root: join(directory, "store") }))
  server = serve({ store, access: OPEN_ACCESS }, { hostname: "127.0.0.1", port: 0 })
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await store[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true })
})

/** The same numbers for the same seed (mulberry32). */
function randomFrom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

const request = (method: string, path: string, headers: Record<string, string> = {}, body = "") =>
  [
    `${method} ${path} HTTP/1.1`,
    "Host: registry",
    ...Object.entries({ ...headers, "Content-Length": String(body.length) }).map(([key, value]) => `${key}: ${value}`),
    "Connection: close",
    "",
    body,
  ].join("\r\n")

/** One of each kind, that the server would take. */
function validRequests(location: string): string[] {
  const blob = `/v2/fuzz/app/blobs/${digestOf(CONFIG)}`
  const manifest = { "Content-Type": "application/vnd.oci.image.manifest.v1+json" }
  return [
    request("GET", "/v2/"),
    request("GET", "/v2/_catalog?n=3&last=a"),
    request("GET", "/v2/fuzz/app/tags/list?n=2"),
    request("GET", blob, { Range: "bytes=0-1" }),
    request("HEAD", blob),
    request("POST", `/v2/fuzz/app/blobs/uploads/?digest=${digestOf(CONFIG)}`, {}, CONFIG),
    request("POST", `/v2/fuzz/other/blobs/uploads/?mount=${digestOf(CONFIG)}&from=fuzz/app`),
    request("PATCH", location, { "Content-Range": "0-4" }, "01234"),
    request("PUT", `${location}?digest=${digestOf("01234")}`),
    request("PUT", "/v2/fuzz/app/manifests/1", manifest, IMAGE),
    request("GET", "/v2/fuzz/app/manifests/1"),
    request("GET", `/v2/fuzz/app/referrers/${digestOf("subject")}?artifactType=x`),
    request("DELETE", "/v2/fuzz/app/manifests/2"),
  ]
}

const WORDS = [
  "..",
  "/",
  "%2e%2e%2f",
  "%00",
  "\0",
  "\r\n",
  "_layers",
  "sha512:",
  "-1",
  "9".repeat(30),
  "[",
  "é",
  " ",
  "é",
  "bytes=-0",
]

/** Bytes changed, cut out, doubled, swapped for words that parsers trip over, or cut off at the end. */
function mutated(text: string, random: (below: number) => number): Buffer {
  let bytes = Buffer.from(text)
  for (let times = 1 + random(4); times > 0; times--) {
    const at = random(bytes.length + 1)
    const length = random(8)
    const [head, part, tail] = [bytes.subarray(0, at), bytes.subarray(at, at + length), bytes.subarray(at + length)]
    const word = Buffer.from(WORDS[random(WORDS.length)] ?? "")
    const kinds = [
      () => [head, Buffer.from([random(256)]), bytes.subarray(at + 1)],
      () => [head, tail],
      () => [head, part, part, tail],
      () => [head, word, bytes.subarray(at)],
      () => [head, word, tail],
      () => [head],
    ]
    bytes = Buffer.concat((kinds[random(kinds.length)] ?? (() => [bytes]))())
  }
  return bytes
}

/** What the server says until it, or we, hang up. */
function send(bytes: Uint8Array): Promise<string> {
  const { hostname, port } = new URL(server.url)
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    const socket = connect(Number(port), hostname)
    socket.setTimeout(PATIENCE_MS, () => socket.destroy())
    socket.on("error", () => {})
    socket.on("data", (chunk: Buffer) => chunks.push(chunk))
    socket.on("close", () => resolve(Buffer.concat(chunks).toString("latin1")))
    socket.end(bytes)
  })
}

test(`${COUNT} mutated requests neither make it fail nor leave a blob that is not what its name says`, async () => {
  const random = randomFrom(SEED)
  const start = async () =>
    (await fetch(new URL("/v2/fuzz/app/blobs/uploads/", server.url), { method: "POST" })).headers.get("Location") ?? ""
  let location = await start()
  const statuses = new Map<string, number>()
  for (let sent = 0; sent < COUNT; sent += AT_ONCE) {
    const valid = validRequests(location)
    const batch = Array.from({ length: AT_ONCE }, () => mutated(valid[random(valid.length)] ?? "", random))
    const answers = await Promise.all(batch.map(send))
    for (const [index, answer] of answers.entries()) {
      for (const [, status = ""] of answer.matchAll(/HTTP\/1\.1 (\d{3})/g))
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
      if (/HTTP\/1\.1 500/.test(answer))
        throw new Error(`seed ${SEED}: ${JSON.stringify(batch[index]?.toString("latin1"))}: ${answer}`)
    }
    if (random(10) === 0) location = await start()
  }
  // it was more than what is refused by its first line
  expect([...statuses.keys()]).toEqual(expect.arrayContaining(["200", "201", "400", "404"]))
  expect((await fetch(new URL("/v2/", server.url))).status).toBe(200)
  for (const algorithm of readdirSync(join(directory, "store", "blobs")))
    for (const hex of readdirSync(join(directory, "store", "blobs", algorithm)))
      expect(digestOf(readFileSync(join(directory, "store", "blobs", algorithm, hex)), algorithm)).toBe(
        `${algorithm}:${hex}`,
      )
  // nothing was written beside it
  expect(readdirSync(directory)).toEqual(["store"])
  expect(readdirSync(join(directory, "store")).toSorted()).toEqual(["blobs", "ingest", "lock", "repositories"])
})
