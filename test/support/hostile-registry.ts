/** A registry that says what a test makes it say, and writes down what it was asked. */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http"
import { serve } from "./http.ts"
import { type BuiltImage, type Descriptor, MANIFEST_TYPE } from "./image.ts"

export interface Asked {
  method: string
  path: string
  headers: IncomingHttpHeaders
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void

export class HostileRegistry implements AsyncDisposable {
  readonly asked: Asked[] = []
  readonly #answers = new Map<string, Answer>()
  #server: (AsyncDisposable & { port: number }) | undefined

  static async start(): Promise<HostileRegistry> {
    const registry = new HostileRegistry()
    registry.#server = await serve((request, response) => registry.#handle(request, response), "127.0.0.1")
    return registry
  }

  get host(): string {
    return `127.0.0.1:${this.#server?.port}`
  }

  /** Answers `path` so, whatever an image set there would answer. */
  answer(path: string, answer: Answer): void {
    this.#answers.set(path, answer)
  }

  bytes(path: string, bytes: Uint8Array | string, mediaType = "application/octet-stream"): void {
    this.answer(path, (request, response) => {
      const range = /^bytes=(\d+)-/.exec(request.headers.range ?? "")
      const body = Buffer.from(bytes as Uint8Array).subarray(Number(range?.[1] ?? 0))
      response.writeHead(range ? 206 : 200, {
        "content-type": mediaType,
        "content-length": body.length,
        ...(range ? { "content-range": `bytes ${range[1]}-${bytes.length - 1}/${bytes.length}` } : {}),
      })
      response.end(request.method === "HEAD" ? undefined : body)
    })
  }

  /** Serves the image as `hostile/image:1`, by tag and by digest; gives its full name. */
  image(image: BuiltImage, manifest?: { bytes: Uint8Array; mediaType?: string }): string {
    const path = "/v2/hostile/image"
    for (const [digest, bytes] of image.blobs) this.bytes(`${path}/blobs/${digest}`, bytes)
    const bytes = manifest?.bytes ?? image.blobs.get(image.manifest.digest) ?? ""
    for (const name of ["1", image.manifest.digest])
      this.bytes(`${path}/manifests/${name}`, bytes, manifest?.mediaType ?? MANIFEST_TYPE)
    return `${this.host}/hostile/image:1`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]()
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? ""
    this.asked.push({ method: request.method ?? "", path, headers: request.headers })
    const answer = this.#answers.get(path.split("?")[0] ?? "")
    if (answer) return answer(request, response)
    if (path === "/v2/") return void response.end("{}")
    response.writeHead(404, { "content-type": "application/json" })
    response.end(JSON.stringify({ errors: [{ code: "NAME_UNKNOWN", message: "not here" }] }))
  }
}

export const blobPath = (descriptor: Descriptor) => `/v2/hostile/image/blobs/${descriptor.digest}`
