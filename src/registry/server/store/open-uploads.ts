import { setTimeout as sleep } from "node:timers/promises"
import { isSkiffError } from "../../../base/errors.ts"
import type { ContentStore, Ingest } from "../../../content/content.ts"

/** So long an upload stays open between its parts: to open it again, all of it is read. */
const IDLE_MS = 2_000
/** Longer than another server of the same directory keeps it open. */
const TAKE_OVER_MS = 6_000
const POLL_MS = 50

interface OpenUpload {
  ingest: Ingest
  timer: NodeJS.Timeout | undefined
}

/**
 * Uploads that this server has under way, each with one writer at a time. Let go of, one lies in the store's ingests, from where any server of
 * the same directory takes it up.
 */
export class OpenUploads implements AsyncDisposable {
  readonly #content: ContentStore
  readonly #open = new Map<string, OpenUpload>()
  readonly #busy = new Map<string, Promise<unknown>>()

  constructor(content: ContentStore) {
    this.#content = content
  }

  /** Runs `body` with the upload's bytes, after whoever has them now. Throws Unavailable while another server has them. */
  async with<T>(id: string, body: (ingest: Ingest) => Promise<T>): Promise<T> {
    const before = this.#busy.get(id) ?? Promise.resolve()
    const running = before.then(
      () => this.#run(id, body),
      () => this.#run(id, body),
    )
    this.#busy.set(id, running)
    try {
      return await running
    } finally {
      if (this.#busy.get(id) === running) this.#busy.delete(id)
    }
  }

  /** Bytes that an open one holds, also while they grow. */
  offset(id: string): number | undefined {
    return this.#open.get(id)?.ingest.offset
  }

  async #run<T>(id: string, body: (ingest: Ingest) => Promise<T>): Promise<T> {
    const upload = this.#open.get(id) ?? { ingest: await this.#take(id), timer: undefined }
    clearTimeout(upload.timer)
    this.#open.set(id, upload)
    try {
      return await body(upload.ingest)
    } finally {
      // committed, or the disk was full: whoever waits for it takes it up anew
      if (!upload.ingest.isOpen) this.forget(id)
      else upload.timer = setTimeout(() => void this.release(id), IDLE_MS)
      upload.timer?.unref()
    }
  }

  async #take(id: string): Promise<Ingest> {
    for (let waitedMs = 0; ; waitedMs += POLL_MS)
      try {
        return await this.#content.ingest(uploadRef(id))
      } catch (error) {
        if (!isSkiffError(error, "Unavailable") || waitedMs >= TAKE_OVER_MS) throw error
        await sleep(POLL_MS)
      }
  }

  /** Closes it; what it holds stays for whoever goes on. Safe to repeat. */
  async release(id: string): Promise<void> {
    const upload = this.#open.get(id)
    if (upload === undefined || this.#busy.has(id)) return
    this.forget(id)
    await upload.ingest[Symbol.asyncDispose]()
  }

  /** It was committed or discarded. */
  forget(id: string): void {
    clearTimeout(this.#open.get(id)?.timer)
    this.#open.delete(id)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const id of this.#open.keys()) await this.release(id)
  }
}

/** The name of an upload among the ingests of a store. */
function uploadRef(id: string): string {
  return `registry upload ${id}`
}
