import { describe, expect, test } from "bun:test"
import * as fc from "fast-check"
import { isSkiffError, type ErrorCode } from "../base/errors.ts"
import { MediaType } from "./oci-image.ts"
import { parseImageConfig } from "./parse-image-config.ts"
import { parseManifest } from "./parse-manifest.ts"

const digest = `sha256:${"a".repeat(64)}`
const descriptor = { mediaType: MediaType.ociLayerGzip, digest, size: 7 }
const manifest = {
  schemaVersion: 2,
  mediaType: MediaType.ociManifest,
  config: { ...descriptor, mediaType: MediaType.ociConfig },
  layers: [descriptor],
}
const index = {
  schemaVersion: 2,
  mediaType: MediaType.ociIndex,
  manifests: [{ ...descriptor, mediaType: MediaType.ociManifest, platform: { os: "linux", architecture: "amd64" } }],
}
const config = {
  architecture: "amd64",
  os: "linux",
  created: "2024-01-02T03:04:05Z",
  config: { Env: ["A=b"], Cmd: ["sh"], Labels: { x: "y" }, ExposedPorts: { "80/tcp": {} }, Volumes: null },
  rootfs: { type: "layers", diff_ids: [digest] },
  history: [{ created_by: "x", empty_layer: false }],
}

const bytes = (document: unknown) => Buffer.from(JSON.stringify(document))
const thrown = (body: () => unknown): ErrorCode | "nothing" => {
  try {
    body()
  } catch (error) {
    if (isSkiffError(error)) return error.code
    throw error
  }
  return "nothing"
}

test("a manifest and an index are told apart by their media type", () => {
  expect(parseManifest(bytes(manifest), MediaType.ociManifest)).toMatchObject({ kind: "manifest" })
  expect(parseManifest(bytes(index), `${MediaType.ociIndex}; charset=utf-8`)).toMatchObject({ kind: "index" })
  expect(parseManifest(bytes({ ...index, mediaType: undefined }), "application/json")).toMatchObject({ kind: "index" })
  const docker = { ...manifest, mediaType: MediaType.dockerManifest }
  expect(parseManifest(bytes(docker), undefined)).toMatchObject({ mediaType: MediaType.dockerManifest })
})

describe("a manifest is refused when", () => {
  const cases: [string, unknown, string, ErrorCode][] = [
    ["it is an index too (CVE-2021-41190)", { ...manifest, ...index }, MediaType.ociIndex, "DataLoss"],
    ["its body and its header differ on what it is", manifest, MediaType.ociIndex, "DataLoss"],
    ["its digest climbs", { ...manifest, layers: [{ ...descriptor, digest: "sha256:../../x" }] }, "", "DataLoss"],
    [
      "its digest is upper case",
      { ...manifest, config: { ...descriptor, digest: digest.toUpperCase() } },
      "",
      "DataLoss",
    ],
    ["its digest is short", { ...manifest, config: { ...descriptor, digest: "sha256:aa" } }, "", "DataLoss"],
    ["a size is negative", { ...manifest, layers: [{ ...descriptor, size: -1 }] }, "", "DataLoss"],
    ["a size is no whole number", { ...manifest, layers: [{ ...descriptor, size: 1.5 }] }, "", "DataLoss"],
    ["it has 501 layers", { ...manifest, layers: Array.from({ length: 501 }, () => descriptor) }, "", "DataLoss"],
    [
      "an index has 1001 entries",
      { ...index, manifests: Array.from({ length: 1001 }, () => descriptor) },
      "",
      "DataLoss",
    ],
    ["it is of schema 1", { schemaVersion: 1, fsLayers: [] }, "", "Unsupported"],
    ["it is no image", manifest, "application/vnd.x", "DataLoss"],
    ["it is a list", [], MediaType.ociManifest, "DataLoss"],
    ["it is null", null, MediaType.ociManifest, "DataLoss"],
  ]
  test.each(cases)("%s", (_, document, contentType, code) => {
    expect(thrown(() => parseManifest(bytes(document), contentType))).toBe(code)
  })

  test("it is larger than 4 MiB", () => {
    const large = { ...manifest, annotations: { x: "y".repeat(4 * 1024 ** 2) } }
    expect(thrown(() => parseManifest(bytes(large), undefined))).toBe("DataLoss")
  })

  test("it is nested deeper than any parser goes", () => {
    expect(thrown(() => parseManifest(Buffer.from("[".repeat(1_000_000)), undefined))).toBe("DataLoss")
  })
})

test("a config's null and missing fields are the same, and what it does not name is left out", () => {
  const parsed = parseImageConfig(bytes({ ...config, secret: 1, config: { ...config.config, Evil: true, Env: null } }))
  expect(parsed).not.toHaveProperty("secret")
  expect(parsed.config).not.toHaveProperty("Evil")
  expect(parsed.config?.Env).toBeUndefined()
  expect(parsed.config?.Volumes).toBeUndefined()
  expect(parsed.rootfs.diff_ids).toEqual([digest as never])
})

/** Replaces one value somewhere in `document` by `value`. */
function mutate(document: unknown, path: readonly number[], value: unknown): unknown {
  const [step, ...rest] = path
  if (step === undefined || typeof document !== "object" || document === null) return value
  const keys = Object.keys(document)
  const key = keys[step % Math.max(keys.length, 1)]
  if (key === undefined) return value
  const copy = (Array.isArray(document) ? [...document] : { ...document }) as Record<string, unknown>
  copy[key] = mutate(copy[key], rest, value)
  return copy
}

test("a mutated document gives a document or a typed error, nothing else", () => {
  const path = fc.array(fc.nat(20), { maxLength: 4 })
  fc.assert(
    fc.property(fc.constantFrom(manifest, index, config), path, fc.jsonValue(), (document, where, value) => {
      const mutated = bytes(mutate(document, where, value))
      const codes = [
        thrown(() => parseManifest(mutated, undefined)),
        thrown(() => parseManifest(mutated, MediaType.ociIndex)),
        thrown(() => parseImageConfig(mutated)),
      ]
      for (const code of codes) expect(["nothing", "DataLoss", "Unsupported"]).toContain(code)
    }),
    { numRuns: 3_000 },
  )
})

test("arbitrary bytes give a typed error", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (garbage) => {
      expect(["DataLoss", "Unsupported"]).toContain(thrown(() => parseManifest(garbage, undefined)))
      expect(thrown(() => parseImageConfig(garbage))).toBe("DataLoss")
    }),
  )
})
