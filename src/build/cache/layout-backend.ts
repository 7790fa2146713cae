/** A cache as an OCI layout in a directory (image-spec image-layout.md). */
import { createHash, randomUUID } from "node:crypto"
import { accessSync, constants, mkdirSync, openSync, renameSync, rmSync, statSync } from "node:fs"
import { open } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { openDirectory, type ArchiveFiles } from "../../archive/archive.ts"
import { atomicWrite, syncDirectory } from "../../base/atomic-write.ts"
import { DataLoss, hasErrno, InvalidArgument, isSkiffError, NotFound } from "../../base/errors.ts"
import { digestAlgorithm, digestHex, type Digest } from "../../spec/digest.ts"
import { MAX_MANIFEST_BYTES, MediaType, type Descriptor, type ImageIndex } from "../../spec/oci-image.ts"
import { LAYOUT_FILE, parseLayoutIndex } from "../../spec/oci-layout.ts"
import { tryLock, unlockAndClose } from "../../sys/libc.ts"
import type { CacheReader, CacheWriter } from "./backend.ts"
import { digestOf } from "./verified.ts"

const LOCK_POLL_MS = 20
const REF_NAME = "org.opencontainers.image.ref.name"

/** Reads the cache that `digest`, else `tag`, names. Links in the directory lead nowhere but inside. */
export function layoutReader(path: string, { tag, digest }: { tag: string; digest?: Digest }): CacheReader {
  const withFiles = async <T>(use: (files: ArchiveFiles) => Promise<T>): Promise<T> => {
    await using files = openLayout(path)
    return await use(files)
  }
  const document = (descriptor: Descriptor) =>
    withFiles(async (files) => ({ descriptor, bytes: await readSmall(files, blobName(descriptor.digest)) }))
  return {
    name: path,
    async top() {
      if (digest !== undefined) return await document({ mediaType: "", digest, size: 0 })
      const index = await withFiles(async (files) => parseLayoutIndex(await readSmall(files, "index.json")))
      const found = index.manifests.find(({ annotations }) => annotations?.[REF_NAME] === tag)
      if (found === undefined) throw new NotFound(`"${path}" has no cache with the tag "${tag}"`)
      return await document(found)
    },
    document: (named) => document({ mediaType: "", digest: named, size: 0 }),
    async fetch({ digest: blob, size }, offset) {
      const files = openLayout(path)
      const name = blobName(blob)
      try {
        const is = files.size(name)
        if (is !== size) throw new DataLoss(`blob ${blob} in "${path}" has ${is} bytes, its manifest says ${size}`)
      } catch (error) {
        await files[Symbol.asyncDispose]()
        throw error
      }
      return { offset, bytes: closing(files, files.read(name, offset)) }
    },
  }
}

/**
 * Writes into a directory, which may hold other caches under other tags; what no tag names any more stays there. Throws
 * InvalidArgument where there can be none.
 */
export function layoutWriter(path: string, tag: string): CacheWriter {
  const blobs = join(path, "blobs", "sha256")
  try {
    mkdirSync(blobs, { recursive: true })
    accessSync(blobs, constants.W_OK)
  } catch (cause) {
    throw new InvalidArgument(
      `"${path}" cannot hold a cache: ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        hint: "name a directory that you may write",
        cause,
      },
    )
  }
  const place = ({ digest }: Descriptor): string => join(blobs, digestHex(digest))
  const has = ({ size, ...descriptor }: Descriptor): boolean =>
    statSync(place(descriptor as Descriptor), { throwIfNoEntry: false })?.size === size
  const writer: CacheWriter = {
    async has(descriptor) {
      return has(descriptor)
    },
    async put(descriptor, read, onProgress) {
      if (has(descriptor)) return
      const aside = join(blobs, `.tmp-${randomUUID()}`)
      try {
        await writeFile(aside, descriptor, read(0), onProgress)
        renameSync(aside, place(descriptor))
      } finally {
        rmSync(aside, { force: true })
      }
      syncDirectory(blobs)
    },
    async publish(bytes, descriptor) {
      await writer.put(descriptor, async function* () {
        yield bytes
      })
      using _ = await lockDirectory(path)
      const others = (await indexOf(path)).filter(({ annotations }) => annotations?.[REF_NAME] !== tag)
      const manifests = [...others, { ...descriptor, annotations: { [REF_NAME]: tag } }]
      const index: ImageIndex = { schemaVersion: 2, mediaType: MediaType.ociIndex, manifests }
      atomicWrite(join(path, "oci-layout"), JSON.stringify(LAYOUT_FILE), { mode: 0o644, durable: true })
      atomicWrite(join(path, "index.json"), JSON.stringify(index), { mode: 0o644, durable: true })
    },
  }
  return writer
}

/** Of several builds that publish into one directory, one after the other. */
async function lockDirectory(path: string): Promise<Disposable> {
  const fd = openSync(path, "r")
  while (!tryLock(fd)) await sleep(LOCK_POLL_MS)
  return { [Symbol.dispose]: () => unlockAndClose(fd) }
}

/** Synced, and held against its digest on the way. */
async function writeFile(
  path: string,
  { digest, size }: Descriptor,
  bytes: AsyncIterable<Uint8Array>,
  onProgress: (sent: number) => void = () => {},
): Promise<void> {
  const hash = createHash(digestAlgorithm(digest))
  const file = await open(path, "wx", 0o644)
  let written = 0
  try {
    for await (const chunk of bytes) {
      hash.update(chunk)
      await file.writeFile(chunk)
      onProgress((written += chunk.length))
    }
    await file.sync()
  } finally {
    await file.close()
  }
  const is = digestOf(digestAlgorithm(digest), hash)
  if (is !== digest || written !== size) throw new DataLoss(`the ${written} bytes of ${digest} have digest ${is}`)
}

function openLayout(path: string): ArchiveFiles {
  try {
    return openDirectory(path)
  } catch (error) {
    if (hasErrno(error, "ENOENT", "ENOTDIR")) throw new NotFound(`no such directory: "${path}"`)
    throw error
  }
}

async function* closing(files: ArchiveFiles, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* bytes
  } finally {
    await files[Symbol.asyncDispose]()
  }
}

async function indexOf(path: string): Promise<readonly Descriptor[]> {
  await using files = openLayout(path)
  if (!files.has("index.json")) return []
  try {
    return parseLayoutIndex(await readSmall(files, "index.json")).manifests
  } catch (cause) {
    if (!isSkiffError(cause)) throw cause
    throw new InvalidArgument(`"${path}" has an invalid index.json: ${cause.message}`, {
      hint: "name a directory of its own for the cache",
      cause,
    })
  }
}

async function readSmall(files: ArchiveFiles, name: string): Promise<Uint8Array> {
  const size = files.size(name)
  if (size > MAX_MANIFEST_BYTES) throw new DataLoss(`"${name}" has ${size} bytes, the limit is ${MAX_MANIFEST_BYTES}`)
  return Buffer.concat(await Array.fromAsync(files.read(name)))
}

function blobName(digest: Digest): string {
  return `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`
}
