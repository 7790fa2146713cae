/** Blobs of a cache, held against what names them while they come. */
import { createHash, type Hash } from "node:crypto"
import { setTimeout as sleep } from "node:timers/promises"
import { Cancelled, DataLoss, isSkiffError } from "../../base/errors.ts"
import type { Bytes } from "../../content/content.ts"
import { digestAlgorithm, parseDigest, type Digest } from "../../spec/digest.ts"
import type { Descriptor } from "../../spec/oci-image.ts"
import type { CacheReader } from "./backend.ts"

const MAX_INTERRUPTIONS = 5
const RETRY_DELAY_MS = 300

/** A blob, whole, going on where a line broke. Throws DataLoss at its end when the bytes are others. */
export async function* verifiedBlob(reader: CacheReader, descriptor: Descriptor, signal?: AbortSignal): Bytes {
  const { digest, size } = descriptor
  const hash = createHash(digestAlgorithm(digest))
  let at = 0
  for (let interruptions = 0; at < size;) {
    const before = at
    try {
      const { offset, bytes } = await reader.fetch(descriptor, at)
      let skip = at - offset
      for await (const chunk of bytes) {
        if (signal?.aborted) throw new Cancelled("the build was cancelled", { cause: signal.reason })
        const fresh = chunk.subarray(Math.min(skip, chunk.length))
        skip -= chunk.length - fresh.length
        if (fresh.length === 0) continue
        at += fresh.length
        if (at > size) throw new DataLoss(`blob ${digest} has more than the ${size} bytes that name it`)
        hash.update(fresh)
        yield fresh
      }
      if (at < size) throw new DataLoss(`blob ${digest} ends after ${at} of ${size} bytes`)
    } catch (error) {
      interruptions = at > before ? 0 : interruptions + 1
      if (!isSkiffError(error, "Unavailable") || interruptions >= MAX_INTERRUPTIONS) throw error
      await sleep(RETRY_DELAY_MS, undefined, { signal })
    }
  }
  const is = digestOf(digestAlgorithm(digest), hash)
  if (is !== digest)
    throw new DataLoss(`the bytes of blob ${digest} have digest ${is}`, { hint: "do not trust this cache" })
}

/** A small blob. Throws DataLoss when it has more than `maxBytes`. */
export async function wholeBlob(
  reader: CacheReader,
  descriptor: Descriptor,
  maxBytes: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const { digest, size } = descriptor
  if (size > maxBytes) throw new DataLoss(`blob ${digest} has ${size} bytes, the limit is ${maxBytes}`)
  return Buffer.concat(await Array.fromAsync(verifiedBlob(reader, descriptor, signal)))
}

/** By the algorithm of `like`. */
export function digestOfBytes(bytes: Uint8Array, like: Digest): Digest {
  const algorithm = digestAlgorithm(like)
  return digestOf(algorithm, createHash(algorithm).update(bytes))
}

/** The digest of what `hash` has seen. */
export function digestOf(algorithm: string, hash: Hash): Digest {
  return parseDigest(`${algorithm}:${hash.digest("hex")}`)
}
