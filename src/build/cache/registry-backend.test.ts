import { afterEach, beforeEach, expect, test } from "bun:test"
import { createHash, generateKeyPairSync } from "node:crypto"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { openRegistries } from "../../registry/open.ts"
import { serve } from "../../registry/client/test-server.ts"
import { registryReader } from "./registry-backend.ts"

const { HOME } = process.env
let home = ""
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "skiff-cache-policy-"))
  mkdirSync(join(home, ".config/containers"), { recursive: true })
  process.env.HOME = home
})
afterEach(() => {
  process.env.HOME = HOME
  rmSync(home, { recursive: true })
})

const mediaType = "application/vnd.oci.image.manifest.v1+json"
const config = { mediaType: "application/vnd.oci.empty.v1+json", digest: `sha256:${"0".repeat(64)}`, size: 2 }
const manifest = JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [] })
const digest = `sha256:${createHash("sha256").update(manifest).digest("hex")}`

async function readTop(requirement: object): Promise<unknown> {
  writeFileSync(join(home, ".config/containers/policy.json"), JSON.stringify({ default: [requirement] }))
  await using registry = await serve((request, response) => {
    if (/manifests\/(?:1|sha256:[0-9a-f]{64})$/.test(request.url ?? ""))
      response.writeHead(200, { "content-type": mediaType }).end(manifest)
    else response.writeHead(request.url === "/v2/" ? 200 : 404).end()
  })
  const { signal } = new AbortController()
  const reader = await registryReader(openRegistries(), `${registry.host}/cache:1`, { signal })
  return (await reader.top()).descriptor.digest
}

test("a cache is held against policy.json, as the images are that its layers go into", async () => {
  expect(await readTop({ type: "insecureAcceptAnything" })).toBe(digest)
  await expect(readTop({ type: "reject" })).rejects.toThrow("rejects images of")
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })
  const keyData = Buffer.from(publicKey.export({ type: "spki", format: "pem" })).toString("base64")
  await expect(readTop({ type: "sigstoreSigned", keyData })).rejects.toThrow("asks for a sigstore signature")
})
