/** Answers about blobs (distribution-spec, "Pulling blobs", "Deleting Blobs"). */
import { fileBody } from "../../sys/net/http-server.ts"
import { emptyAnswer, RegistryError } from "./answers.ts"
import type { RegistryStore, ServedBlob } from "./server.ts"
import type { Bytes } from "../../base/bytes.ts"
import type { Digest } from "../../spec/digest.ts"

/** What the answers stand on. */
export interface BlobRequest {
  store: RegistryStore
  request: Request
  repository: string
  digest: Digest
}

/** GET and HEAD. */
export async function getBlob({ store, request, repository, digest }: BlobRequest): Promise<Response> {
  const blob = await store.blob(repository, digest)
  if (blob === undefined) throw new RegistryError("BLOB_UNKNOWN", "no such blob in this repository", { digest })
  const headers = {
    "Content-Type": "application/octet-stream",
    "Docker-Content-Digest": digest,
    ETag: `"${digest}"`,
    "Accept-Ranges": "bytes",
    // what a digest names never changes
    "Cache-Control": "max-age=31536000",
    // content of others, that no browser shall take for a page of ours
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
  }
  if (request.method === "HEAD")
    return new Response(null, { headers: { ...headers, "Content-Length": String(blob.size) } })
  if (request.headers.get("If-None-Match")?.includes(digest)) return new Response(null, { status: 304, headers })
  const range = rangeOf(request.headers.get("Range"), blob.size)
  if (range === undefined)
    return new Response(bodyOf(blob, 0, blob.size), { headers: { ...headers, "Content-Length": String(blob.size) } })
  const { start, end } = range
  return new Response(bodyOf(blob, start, end), {
    status: 206,
    headers: {
      ...headers,
      "Content-Length": String(end - start),
      "Content-Range": `bytes ${start}-${end - 1}/${blob.size}`,
    },
  })
}

/** A file is sent by the kernel; what is made on the way is streamed. */
function bodyOf({ path, read }: ServedBlob, start: number, end: number): Blob | ReadableStream<Uint8Array> {
  return path === undefined ? streamOf(read({ start, end })) : fileBody(path, start, end)
}

/** Pulled as the client takes it. */
function streamOf(bytes: Bytes): ReadableStream<Uint8Array> {
  const chunks = bytes[Symbol.asyncIterator]()
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await chunks.next()
      if (done) controller.close()
      else controller.enqueue(value)
    },
    cancel: async () => void (await chunks.return?.(undefined)),
  })
}

/**
 * One range of RFC 9110, section 14: `bytes=0-9`, `bytes=10-`, `bytes=-5`. Undefined for what is to be passed over: no range, another
 * unit, several ranges. Throws RegistryError for one that the blob does not have.
 */
export function rangeOf(header: string | null, size: number): { start: number; end: number } | undefined {
  const [, from = "", to = ""] = /^bytes=(\d*)-(\d*)$/.exec(header ?? "") ?? []
  if (from === "" && to === "") return undefined
  const start = from === "" ? Math.max(size - Number(to), 0) : Number(from)
  const end = from === "" || to === "" ? size : Math.min(Number(to) + 1, size)
  if (start >= size || start >= end)
    throw new RegistryError(
      "RANGE_INVALID",
      "the blob has no such bytes",
      { size },
      { "Content-Range": `bytes */${size}` },
    )
  return { start, end }
}

/** DELETE. */
export async function deleteBlob({ store, repository, digest }: BlobRequest): Promise<Response> {
  const isGone = await store.writes?.deleteBlob(repository, digest)
  if (!isGone) throw new RegistryError("BLOB_UNKNOWN", "no such blob in this repository", { digest })
  return emptyAnswer(202)
}
