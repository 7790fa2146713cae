/** A bucket of S3 or of what speaks like it (MinIO, Ceph, Garage), by the runtime's own client. */
import { setTimeout as sleep } from "node:timers/promises"
import { isSkiffError, NotFound, Unavailable } from "../../base/errors.ts"

/** Where a bucket is, and who asks. */
export interface BucketAddress {
  name: string
  /** Before every key: `""` or `a/b/`. */
  prefix: string
  /** `http://127.0.0.1:9000`; undefined: Amazon's of the region. */
  endpoint?: string | undefined
  region?: string | undefined
  accessKeyId: string
  secretAccessKey: string
  sessionToken?: string | undefined
}

/** One object of a listing. */
export interface ListedObject {
  /** Without the bucket's prefix. */
  key: string
  /** bytes */
  size: number
  changedAt: Date
}

/** How much is asked for at once: what one reader holds in memory is twice that. */
const PIECE_BYTES = 8 * 1024 * 1024
/** An object has at most 10,000 parts. */
const MAX_PARTS = 9_000
const PARTS_AT_ONCE = 4
const RETRIES = 3
const RETRY_DELAY_MS = 100
/** What S3 says of itself, and not of the request. */
const TRANSIENT = new Set(["InternalError", "SlowDown", "ServiceUnavailable", "RequestTimeout"])
const PRESIGNED_SECONDS = 60

/** What S3's own words mean for who has named the bucket. */
const FAILURES: Record<string, string> = {
  NoSuchBucket: "is not there",
  AccessDenied: "refuses these keys (AccessDenied)",
  InvalidAccessKeyId: "does not know this key",
  SignatureDoesNotMatch: "knows another secret for this key",
  ExpiredToken: "refuses the session token: it has expired",
  ERR_S3_INVALID_ENDPOINT: "has no endpoint: that is no URL",
}
const MISSING = new Set(["NoSuchKey", "NotFound"])

/** Opens no connection. All calls throw Unavailable where the bucket is not there, refuses, or does not answer, and may be repeated. */
export class Bucket {
  readonly #client: Bun.S3Client
  readonly #address: BucketAddress

  constructor(address: BucketAddress) {
    const { name, endpoint, region, accessKeyId, secretAccessKey, sessionToken } = address
    this.#address = address
    this.#client = new Bun.S3Client({
      bucket: name,
      accessKeyId,
      secretAccessKey,
      ...(endpoint !== undefined && { endpoint }),
      ...(region !== undefined && { region }),
      ...(sessionToken !== undefined && { sessionToken }),
    })
  }

  /** Bytes and time of an object; undefined when it is not there. */
  async stat(key: string): Promise<{ size: number; changedAt: Date } | undefined> {
    const stat = await this.#asked(() => this.#client.stat(this.#key(key)))
    return stat && { size: stat.size, changedAt: stat.lastModified }
  }

  /** The whole object, for small ones; undefined when it is not there. */
  bytes(key: string): Promise<Uint8Array | undefined> {
    return this.#asked(() => this.#client.file(this.#key(key)).bytes())
  }

  /** A part of an object of which it is known that it is there, the next piece asked for while one is read. */
  async *read(key: string, { start, end }: { start: number; end: number }): AsyncGenerator<Uint8Array> {
    const piece = (at: number) =>
      this.#asked(() =>
        this.#client
          .file(this.#key(key))
          .slice(at, Math.min(at + PIECE_BYTES, end))
          .bytes(),
      )
    let next = start < end ? piece(start) : undefined
    for (let at = start; next !== undefined; at += PIECE_BYTES) {
      const asked: Promise<Uint8Array | undefined> = next
      next = at + PIECE_BYTES < end ? piece(at + PIECE_BYTES) : undefined
      // whoever stops reading does not hear how the next one ended
      next?.catch(() => {})
      const bytes = await asked
      if (bytes === undefined) throw new NotFound(`the object ${key} went away while it was read`)
      yield bytes
    }
  }

  async put(key: string, content: string | Uint8Array): Promise<void> {
    await this.#asked(() => this.#client.write(this.#key(key), content, { retry: RETRIES }))
  }

  /**
   * The same where nothing is there yet; false where something is. Of two who do it at once one is told so, where the bucket knows `If-None-Match`
   * (Amazon's since 2024, MinIO, Ceph).
   */
  async putNew(key: string, content: string): Promise<boolean> {
    if ((await this.stat(key)) !== undefined) return false
    const url = this.#client.presign(this.#key(key), { method: "PUT", expiresIn: PRESIGNED_SECONDS })
    const answer = await fetch(url, { method: "PUT", body: content, headers: { "If-None-Match": "*" } }).catch(
      (cause: unknown) => {
        throw this.#unavailable(cause)
      },
    )
    if (answer.ok) return true
    if (answer.status === 412 || answer.status === 409) return false
    throw this.#unavailable(new Error(`HTTP ${answer.status}`))
  }

  /** A file's content, in parts: it is there at once and whole, or not. */
  async putFile(key: string, path: string, size: number): Promise<void> {
    const partSize = Math.max(PIECE_BYTES, Math.ceil(size / MAX_PARTS))
    const options = { partSize, queueSize: PARTS_AT_ONCE, retry: RETRIES }
    await this.#asked(() => this.#client.write(this.#key(key), Bun.file(path), options))
  }

  /** The same of what comes in pieces. */
  async putStream(key: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
    const options = { partSize: PIECE_BYTES, queueSize: PARTS_AT_ONCE, retry: RETRIES }
    try {
      const writer = this.#client.file(this.#key(key)).writer(options)
      for await (const piece of pieces) {
        writer.write(piece)
        await writer.flush()
      }
      await writer.end()
    } catch (error) {
      throw isSkiffError(error) ? error : this.#unavailable(error)
    }
  }

  /** Safe to repeat. */
  async remove(key: string): Promise<void> {
    await this.#asked(() => this.#client.delete(this.#key(key)))
  }

  /** Objects whose keys begin so, in the order of their bytes; only those after one of them. */
  async *list(prefix: string, { after }: { after?: string } = {}): AsyncGenerator<ListedObject> {
    for (let token: string | undefined, isFirst = true; isFirst || token !== undefined; isFirst = false) {
      const page = await this.#asked(() =>
        this.#client.list({
          prefix: this.#key(prefix),
          ...(after !== undefined && { startAfter: this.#key(after) }),
          ...(token !== undefined && { continuationToken: token }),
        }),
      )
      for (const { key, size = 0, lastModified } of page?.contents ?? [])
        yield { key: key.slice(this.#address.prefix.length), size, changedAt: new Date(lastModified ?? 0) }
      token = page?.isTruncated === true ? page.nextContinuationToken : undefined
    }
  }

  #key(key: string): string {
    return this.#address.prefix + key
  }

  /** Undefined for what is not there. Sent again where S3 has a weakness of its own. */
  async #asked<T>(call: () => Promise<T>): Promise<T | undefined> {
    for (let attempt = 0; ; attempt++)
      try {
        return await call()
      } catch (error) {
        const { code = "" } = error as { code?: string }
        if (MISSING.has(code)) return undefined
        if (!TRANSIENT.has(code) || attempt >= RETRIES) throw this.#unavailable(error)
        await sleep(RETRY_DELAY_MS * 2 ** attempt * (0.5 + Math.random()))
      }
  }

  #unavailable(cause: unknown): Unavailable {
    const { name, endpoint = "Amazon S3" } = this.#address
    const { code, message } = cause as { code?: string; message?: string }
    const why = FAILURES[code ?? ""] ?? `does not answer: ${code ?? message ?? String(cause)}`
    return new Unavailable(`the bucket "${name}" at ${endpoint} ${why}`, { cause })
  }
}
