/** A client of `skiff cri serve`, by the gRPC library itself and the same descriptor. */
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { chmodSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { Readable } from "node:stream"
import { credentials, makeClientConstructor, type ServiceDefinition } from "@grpc/grpc-js"
import { fromJSON } from "@grpc/proto-loader"
import { DESCRIPTOR } from "../../src/cri/protocol/descriptor.ts"
import type { ImageServiceCalls, RuntimeServiceCalls } from "../../src/cri/protocol/messages.ts"
import type { Sent } from "../../src/cri/protocol/service.ts"
import type { Skiff } from "./skiff.ts"

type AllCalls = RuntimeServiceCalls & ImageServiceCalls
/** Of calls that are answered once. */
export type Ask = <K extends keyof AllCalls>(
  name: K,
  request?: Sent<AllCalls[K]["request"]>,
) => Promise<AllCalls[K]["response"]>

const OPTIONS = { keepCase: true, longs: String, enums: String, defaults: true, arrays: true, objects: true }
const definitions = fromJSON(JSON.parse(DESCRIPTOR) as Parameters<typeof fromJSON>[0], OPTIONS)
const RUNTIME = definitions["runtime.v1.RuntimeService"] as ServiceDefinition
const IMAGES = definitions["runtime.v1.ImageService"] as ServiceDefinition

type Client = Record<string, (...args: unknown[]) => AsyncIterable<unknown> & { cancel(): void }> & { close(): void }

/** A new directory in which the user of the tests may write. */
export function everybodys(path: string): string {
  mkdirSync(path, { recursive: true })
  chmodSync(path, 0o777)
  return path
}

export class Cri {
  readonly #skiff: Skiff
  readonly socket: string
  #server: ChildProcess | undefined
  #clients: { runtime: Client; images: Client } | undefined
  /** What the server says of itself. */
  errors = ""

  constructor(skiff: Skiff) {
    this.#skiff = skiff
    this.socket = join(everybodys(join(skiff.directory, "cri")), "s")
  }

  /** `crashAt`: where it dies (src/base/crash-point.ts). */
  async start({ flags = [], crashAt }: { flags?: readonly string[]; crashAt?: string } = {}): Promise<void> {
    const env: Record<string, string> = crashAt === undefined ? {} : { SKIFF_CRASH_AT: crashAt }
    const server = this.#skiff.spawn(["cri", "serve", "--listen", `unix://${this.socket}`, ...flags], { env })
    server.stderr?.on("data", (chunk) => (this.errors += String(chunk)))
    await Promise.race([
      once(createInterface({ input: server.stdout ?? Readable.from([]) }), "line"),
      once(server, "exit").then(() => Promise.reject(new Error(this.errors))),
    ])
    this.#server = server
    const make = (service: ServiceDefinition): Client =>
      new (makeClientConstructor(service, ""))(`unix:${this.socket}`, credentials.createInsecure(), {
        "grpc.max_receive_message_length": 32 * 1024 * 1024,
        "grpc.max_send_message_length": 64 * 1024 * 1024,
      }) as unknown as Client
    this.#clients = { runtime: make(RUNTIME), images: make(IMAGES) }
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    this.#clients?.runtime.close()
    this.#clients?.images.close()
    const server = this.#server
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return server?.exitCode ?? null
    const exited = once(server, "exit") as Promise<[number | null]>
    server.kill(signal)
    this.#server = undefined
    return (await exited)[0]
  }

  /** Rejects with the `code` and `details` of gRPC. */
  readonly ask: Ask = (name, request = {} as never) =>
    new Promise((resolve, reject) => {
      this.#client(name)[name]?.(request, (error: unknown, value: unknown) =>
        error ? reject(error as Error) : resolve(value as never),
      )
    })

  /** What a stream gives, until `cancel`. */
  stream<K extends keyof AllCalls>(
    name: K,
    request: Sent<AllCalls[K]["request"]>,
  ): AsyncIterable<AllCalls[K]["response"]> & { cancel(): void } {
    const call = this.#client(name)[name]?.(request)
    if (call === undefined) throw new Error(`no call ${name}`)
    return call as AsyncIterable<AllCalls[K]["response"]> & { cancel(): void }
  }

  #client(name: string): Client {
    if (this.#clients === undefined) throw new Error("the server was not started")
    return name in IMAGES ? this.#clients.images : this.#clients.runtime
  }
}
