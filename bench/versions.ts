/** Two versions of an image whose layer has a table of contents. */
import { createHash } from "node:crypto"
import { chunkLayer } from "../src/archive/archive.ts"
import { CountingProxy } from "../test/support/counting-proxy.ts"
import { buildImage, digestOf, json, MANIFEST_TYPE, type BuiltImage } from "../test/support/image.ts"
import type { Registry } from "../test/support/registry.ts"
import { tar, type TarEntry } from "../test/support/tar.ts"

/** Names at the proxy, which counts what comes. */
export interface Versions {
  first: string
  next: string
  proxy: CountingProxy
}

/** Of 200 MB 10 MB are new in the next version, and every time is another. */
export async function pushVersions(registry: Registry, files: readonly TarEntry[]): Promise<Versions> {
  const proxy = new CountingProxy(registry.host)
  const host = await proxy.start()
  for (const n of [1, 2])
    registry.pushBuilt(`bench/versions:${n}`, await chunkedImage([...dated(files, n), ...dated(newFiles(n), n)]))
  return { first: `${host}/bench/versions:1`, next: `${host}/bench/versions:2`, proxy }
}

const dated = (entries: readonly TarEntry[], n: number): TarEntry[] =>
  entries.map((entry) => Object.assign({}, entry, { mtime: 1_700_000_000 + n }))

function newFiles(version: number): TarEntry[] {
  return Array.from({ length: 10 }, (_, index) => {
    const blocks = Array.from({ length: 31_250 }, (__, block) =>
      createHash("sha256").update(`${version} ${index} ${block}`).digest(),
    )
    return { name: `app/part-${index}`, content: Buffer.concat(blocks) }
  })
}

async function chunkedImage(entries: readonly TarEntry[]): Promise<BuiltImage> {
  const archive = tar(entries)
  let annotations: Record<string, string> = {}
  const chunks: Uint8Array[] = []
  const one = (async function* () {
    yield archive
  })()
  for await (const chunk of chunkLayer(one, "zstd:chunked", { onEnd: (made) => ({ annotations } = made) }))
    chunks.push(chunk)
  const blob = Buffer.concat(chunks)
  const built = buildImage({ layers: [{ entries, compression: "none" }] })
  const mediaType = "application/vnd.oci.image.layer.v1.tar+zstd"
  const layer = { mediaType, digest: digestOf(blob), size: blob.length, annotations }
  const manifest = json({ schemaVersion: 2, mediaType: MANIFEST_TYPE, config: built.config, layers: [layer] })
  const blobs = new Map([
    [layer.digest, blob as Uint8Array],
    [built.config.digest, built.blobs.get(built.config.digest) ?? new Uint8Array(0)],
    [digestOf(manifest), manifest],
  ])
  const descriptor = { ...built.manifest, digest: digestOf(manifest), size: manifest.length }
  return { ...built, manifest: descriptor, layers: [layer], blobs }
}
