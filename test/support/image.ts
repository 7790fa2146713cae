/** Images made by the tests, in the OCI image layout that skopeo pushes. */
import { createHash } from "node:crypto"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gzipSync, zstdCompressSync } from "node:zlib"
import { tar, type TarEntry } from "./tar.ts"

export interface LayerSpec {
  entries: readonly TarEntry[]
  compression?: "gzip" | "zstd" | "none"
}

export interface ImageSpec {
  layers: readonly LayerSpec[]
  config?: Record<string, unknown>
  architecture?: string
  variant?: string
}

export interface Descriptor {
  mediaType: string
  digest: string
  size: number
  platform?: { os: string; architecture: string; variant?: string }
}

const OCI = "application/vnd.oci.image"
export const MANIFEST_TYPE = `${OCI}.manifest.v1+json`
export const INDEX_TYPE = `${OCI}.index.v1+json`
export const CONFIG_TYPE = `${OCI}.config.v1+json`
export const LAYER_TYPE = `${OCI}.layer.v1.tar+gzip`

export const digestOf = (bytes: Uint8Array | string) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`

/** The blobs of one image, by digest, and the descriptor of its manifest. */
export interface BuiltImage {
  manifest: Descriptor
  config: Descriptor
  layers: Descriptor[]
  diffIds: string[]
  blobs: Map<string, Uint8Array>
}

export function buildImage(spec: ImageSpec): BuiltImage {
  const blobs = new Map<string, Uint8Array>()
  const add = (mediaType: string, bytes: Uint8Array): Descriptor => {
    const digest = digestOf(bytes)
    blobs.set(digest, bytes)
    return { mediaType, digest, size: bytes.length }
  }
  const archives = spec.layers.map(({ entries, compression = "gzip" }) => ({ bytes: tar(entries), compression }))
  const layers = archives.map(({ bytes, compression }) => {
    if (compression === "zstd") return add(`${OCI}.layer.v1.tar+zstd`, zstdCompressSync(bytes))
    if (compression === "none") return add(`${OCI}.layer.v1.tar`, bytes)
    return add(LAYER_TYPE, gzipSync(bytes, { level: 1 }))
  })
  const diffIds = archives.map(({ bytes }) => digestOf(bytes))
  const platform = { os: "linux", architecture: spec.architecture ?? hostArchitecture(), variant: spec.variant }
  const config = add(
    CONFIG_TYPE,
    json({
      ...platform,
      created: "2026-01-01T00:00:00Z",
      config: spec.config ?? {},
      rootfs: { type: "layers", diff_ids: diffIds },
      history: diffIds.map((_, index) => ({ created: "2026-01-01T00:00:00Z", created_by: `layer ${index}` })),
    }),
  )
  const manifest = add(MANIFEST_TYPE, json({ schemaVersion: 2, mediaType: MANIFEST_TYPE, config, layers }))
  return { manifest: { ...manifest, platform }, config, layers, diffIds, blobs }
}

/** Writes `images` as a layout; more than one becomes an index, as `docker buildx` makes them. */
export function writeLayout(directory: string, images: readonly BuiltImage[]): Descriptor {
  const blobs = new Map(images.flatMap((image) => [...image.blobs]))
  let top: Descriptor | undefined = images[0]?.manifest
  if (images.length > 1) {
    const manifests = images.map((image) => image.manifest)
    const index = json({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests })
    top = { mediaType: INDEX_TYPE, digest: digestOf(index), size: index.length }
    blobs.set(top.digest, index)
  }
  if (top === undefined) throw new Error("a layout of no image")
  mkdirSync(join(directory, "blobs/sha256"), { recursive: true })
  for (const [digest, bytes] of blobs) writeFileSync(join(directory, "blobs", digest.replace(":", "/")), bytes)
  writeFileSync(join(directory, "oci-layout"), json({ imageLayoutVersion: "1.0.0" }))
  writeFileSync(join(directory, "index.json"), json({ schemaVersion: 2, manifests: [top] }))
  return top
}

export const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value))

export function hostArchitecture(): string {
  return process.arch === "x64" ? "amd64" : process.arch
}

/** A root file system of busybox alone: a link for each of its commands, the files a program looks for. */
export function busyboxEntries(): TarEntry[] {
  const applets = "sh cat echo ls ps id env sleep true false httpd wget nc grep sed awk head tail wc sort mount umount"
  const more = "mkdir rm rmdir touch chmod chown ln cp mv stat hostname ip ping kill pwd printf test dd yes stty tty"
  const rest = "uname date seq tr cut find nslookup readlink df free top mknod ulimit nproc sync expr basename dirname"
  const names = `${applets} ${more} ${rest} md5sum sha256sum trap sysctl mktemp id timeout whoami unshare chroot su vi`
  const directories = ["bin/", "dev/", "etc/", "home/", "proc/", "root/", "sys/", "tmp/", "usr/", "var/", "var/www/"]
  return [
    ...directories.map((name): TarEntry => ({
      name,
      type: "directory",
      mode: name === "tmp/" ? 0o1777 : name === "root/" ? 0o700 : 0o755,
    })),
    { name: "bin/busybox", mode: 0o755, content: readFileSync("/bin/busybox") },
    ...[...new Set(names.split(" "))].map((name): TarEntry => ({
      name: `bin/${name}`,
      type: "symlink",
      linkName: "busybox",
    })),
    { name: "etc/passwd", content: "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home:/bin/sh\n" },
    { name: "etc/group", content: "root:x:0:\nuser:x:1000:\nextra:x:2000:user\n" },
  ]
}

/** The base image of the tests. */
export const BUSYBOX: ImageSpec = {
  layers: [{ entries: busyboxEntries() }],
  config: { Cmd: ["sh"], Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"] },
}
