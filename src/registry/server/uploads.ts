/** Answers about uploads (distribution-spec, "Pushing Blobs"). */
import { isSkiffError } from "../../base/errors.ts"
import type { Digest } from "../../spec/digest.ts"
import { emptyAnswer, RegistryError } from "./answers.ts"
import { digest as parseDigest, repositoryName } from "./route.ts"
import type { RegistryWrites } from "./server.ts"

/** What the answers stand on. */
export interface UploadRequest {
  writes: RegistryWrites
  request: Request
  url: URL
  repository: string
  /** Whether the caller may read this repository: from another no blob is taken. */
  mayRead(repository: string): Promise<boolean>
  /** Hears how many bytes came. */
  received(bytes: number): void
}

/** POST: a blob of another repository, a whole one at once, or the beginning of one. */
export async function startUpload(given: UploadRequest): Promise<Response> {
  const { writes, url, repository } = given
  const [mount, from, digest] = ["mount", "from", "digest"].map((name) => url.searchParams.get(name))
  if (mount) {
    const wanted = parseDigest(mount)
    const source = from ? repositoryName(from) : undefined
    if (source !== undefined && (await given.mayRead(source)) && (await writes.mount(repository, source, wanted)))
      return created(repository, wanted)
  }
  const wanted = digest ? parseDigest(digest) : undefined
  const { id } = await writes.startUpload(repository)
  if (wanted === undefined || mount) return accepted(repository, id, 0)
  try {
    await writes.append(repository, id, bodyOf(given), 0)
    return await finished(given, id, wanted)
  } catch (error) {
    await writes.cancel(repository, id)
    throw error
  }
}

/** GET: how far it is. */
export async function uploadStatus({ writes, repository }: UploadRequest, id: string): Promise<Response> {
  const upload = await mustFind(writes, repository, id)
  return progress(204, repository, id, upload.offset)
}

/** PATCH: the next part, at the place that `Content-Range` names. */
export async function appendUpload(given: UploadRequest, id: string): Promise<Response> {
  const { writes, request, repository } = given
  await mustFind(writes, repository, id)
  const range = contentRange(request.headers)
  const held = await appended(given, { id, expected: range?.start })
  if (range !== undefined && held !== range.end)
    throw new RegistryError("SIZE_INVALID", `the part is not of the ${range.end - range.start} bytes that it says`)
  return accepted(repository, id, held)
}

/** PUT: the last part, if there is one, and what all together are. */
export async function finishUpload(given: UploadRequest, id: string): Promise<Response> {
  const { writes, request, url, repository } = given
  const digest = parseDigest(url.searchParams.get("digest") ?? "")
  await mustFind(writes, repository, id)
  if (request.body !== null && request.headers.get("Content-Length") !== "0")
    await appended(given, { id, expected: contentRange(request.headers)?.start })
  return finished(given, id, digest)
}

/** DELETE. */
export async function cancelUpload({ writes, repository }: UploadRequest, id: string): Promise<Response> {
  if (await writes.cancel(repository, id)) return emptyAnswer(204)
  throw unknownUpload()
}

async function mustFind(writes: RegistryWrites, repository: string, id: string) {
  const upload = await writes.upload(repository, id)
  if (upload === undefined) throw unknownUpload()
  return upload
}

async function appended(
  given: UploadRequest,
  { id, expected }: { id: string; expected: number | undefined },
): Promise<number> {
  const { writes, repository } = given
  try {
    return await writes.append(repository, id, bodyOf(given), expected)
  } catch (error) {
    if (isSkiffError(error, "NotFound")) throw unknownUpload()
    if (!isSkiffError(error, "FailedPrecondition")) throw error
    const upload = await mustFind(writes, repository, id)
    const headers = progressHeaders(repository, id, upload.offset)
    throw new RegistryError(
      "BLOB_UPLOAD_INVALID",
      "the part does not begin where the last one ended",
      undefined,
      headers,
    )
  }
}

async function finished({ writes, repository }: UploadRequest, id: string, digest: Digest): Promise<Response> {
  try {
    await writes.finish(repository, id, digest)
  } catch (error) {
    if (isSkiffError(error, "NotFound")) throw unknownUpload()
    if (!isSkiffError(error, "DataLoss")) throw error
    throw new RegistryError("DIGEST_INVALID", "the bytes have another digest", { digest })
  }
  return created(repository, digest)
}

/** `0-1023`, as the specification has it, or as RFC 9110 has it. Throws RegistryError for what it cannot mean. */
function contentRange(headers: Headers): { start: number; end: number } | undefined {
  const text = headers.get("Content-Range")
  if (text === null) return undefined
  const [, from, to] = /^(?:bytes )?(\d{1,15})-(\d{1,15})(?:\/.*)?$/.exec(text) ?? []
  if (from === undefined || to === undefined || Number(to) < Number(from) - 1)
    throw new RegistryError("RANGE_INVALID", "the Content-Range is none", { range: text.slice(0, 100) })
  return { start: Number(from), end: Number(to) + 1 }
}

async function* bodyOf({ request, received }: UploadRequest): AsyncIterable<Uint8Array> {
  for await (const chunk of request.body ?? []) {
    received(chunk.length)
    yield chunk
  }
}

function created(repository: string, digest: Digest): Response {
  return emptyAnswer(201, { Location: `/v2/${repository}/blobs/${digest}`, "Docker-Content-Digest": digest })
}

function accepted(repository: string, id: string, held: number): Response {
  return progress(202, repository, id, held)
}

function progress(status: number, repository: string, id: string, held: number): Response {
  return emptyAnswer(status, progressHeaders(repository, id, held))
}

function progressHeaders(repository: string, id: string, held: number): Record<string, string> {
  return {
    Location: `/v2/${repository}/blobs/uploads/${id}`,
    Range: `0-${Math.max(held - 1, 0)}`,
    "Docker-Upload-UUID": id,
  }
}

function unknownUpload(): RegistryError {
  return new RegistryError("BLOB_UPLOAD_UNKNOWN", "no such upload in this repository")
}
