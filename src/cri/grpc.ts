/** The gRPC server on its socket. The library is loaded here alone. */
import { Server, ServerCredentials, type ServiceDefinition, type UntypedServiceImplementation } from "@grpc/grpc-js"
import { fromJSON } from "@grpc/proto-loader"
import { chmodSync, lstatSync, mkdtempSync, renameSync, rmSync, unlinkSync } from "node:fs"
import { connect } from "node:net"
import { dirname, join } from "node:path"
import { AlreadyExists, InvalidArgument } from "../base/errors.ts"
import { log } from "../base/log.ts"
import { statusOf, STATUS } from "./errors.ts"
import { DESCRIPTOR } from "./protocol/descriptor.ts"

/** As kubelet: no message of either side is larger. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024
/** unix(7) */
const MAX_SOCKET_PATH = 107
/** How long calls that are under way may take to end. */
const SHUTDOWN_MS = 3000

/** Functions by the names of a service's calls. */
export type Implementation = Readonly<Record<string, (request: never, call: { signal: AbortSignal }) => unknown>>

/** Serves until it is disposed. Throws AlreadyExists when another server answers at `socket`, InvalidArgument, errno errors. */
export async function serveGrpc(
  socket: string,
  services: Readonly<Record<string, Implementation>>,
): Promise<AsyncDisposable> {
  if (Buffer.byteLength(socket) > MAX_SOCKET_PATH - "/s.XXXXXX/s".length)
    throw new InvalidArgument(`the path of the socket is too long: "${socket}"`, {
      field: "listen",
      hint: `at most ${MAX_SOCKET_PATH - "/s.XXXXXX/s".length} bytes`,
    })
  await checkFree(socket)
  const server = new Server({
    "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
    "grpc.max_send_message_length": MAX_MESSAGE_BYTES,
  })
  const definitions = fromJSON(JSON.parse(DESCRIPTOR) as Parameters<typeof fromJSON>[0], {
    keepCase: true,
    // beyond what a JS number holds
    longs: String,
    enums: String,
    defaults: true,
    arrays: true,
    objects: true,
  })
  const streams = new Set<AbortController>()
  for (const [name, handlers] of Object.entries(services)) {
    const definition = definitions[name] as ServiceDefinition | undefined
    if (definition !== undefined) server.addService(definition, implemented(definition, handlers, streams))
  }
  const inode = await bind(server, socket)
  return {
    async [Symbol.asyncDispose]() {
      // of another server it is none of ours
      if (lstatSync(socket, { throwIfNoEntry: false })?.ino === inode) unlinkSync(socket)
      // they have no end of their own
      for (const stream of streams) stream.abort()
      const timer = setTimeout(() => server.forceShutdown(), SHUTDOWN_MS)
      await new Promise<void>((resolve) => server.tryShutdown(() => resolve()))
      clearTimeout(timer)
    },
  }
}

/** Bound in a directory that nobody else may enter, and brought to its place when it has its mode. Gives its inode. */
async function bind(server: Server, socket: string): Promise<number> {
  const directory = mkdtempSync(join(dirname(socket), "s."))
  try {
    const path = join(directory, "s")
    await new Promise<void>((resolve, reject) =>
      server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (error) =>
        error ? reject(error) : resolve(),
      ),
    )
    chmodSync(path, 0o600)
    renameSync(path, socket)
    return lstatSync(socket).ino
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** A socket that a killed server left is nobody's. Throws AlreadyExists, InvalidArgument. */
async function checkFree(socket: string): Promise<void> {
  const found = lstatSync(socket, { throwIfNoEntry: false })
  if (found === undefined) return
  if (!found.isSocket())
    throw new InvalidArgument(`"${socket}" is there, and no socket`, { field: "listen", hint: "name another path" })
  const answers = await new Promise<boolean>((resolve) => {
    const client = connect(socket)
    client.once("connect", () => (client.destroy(), resolve(true)))
    client.once("error", () => resolve(false))
  })
  if (answers)
    throw new AlreadyExists(`another server answers at "${socket}"`, {
      field: "listen",
      hint: "end it, or name another path",
    })
}

function implemented(
  definition: ServiceDefinition,
  handlers: Implementation,
  streams: Set<AbortController>,
): UntypedServiceImplementation {
  return Object.fromEntries(
    Object.entries(definition).flatMap(([name, { responseStream }]) => {
      const handler = handlers[name]
      if (handler === undefined) return []
      return [[name, responseStream ? streaming(name, handler, streams) : unary(name, handler)]]
    }),
  ) as unknown as UntypedServiceImplementation
}

type Handler = Implementation[string]

interface UnaryCall {
  request: never
  cancelled: boolean
  on(event: "cancelled", listener: () => void): void
}

type Reply = (error: { code: number; details: string } | null, value?: unknown) => void

function unary(name: string, handler: Handler) {
  return async (call: UnaryCall, reply: Reply): Promise<void> => {
    const gone = new AbortController()
    call.on("cancelled", () => gone.abort())
    try {
      reply(null, await handler(call.request, { signal: gone.signal }))
    } catch (error) {
      reply(told(name, error))
    }
  }
}

interface StreamCall extends UnaryCall {
  write(value: unknown): boolean
  once(event: "drain" | "cancelled", listener: () => void): void
  end(): void
  emit(event: "error", error: unknown): void
}

/** `streams`: those that are under way, for who ends them. */
function streaming(name: string, handler: Handler, streams: Set<AbortController>) {
  return async (call: StreamCall): Promise<void> => {
    const gone = new AbortController()
    streams.add(gone)
    call.on("cancelled", () => gone.abort())
    try {
      for await (const value of handler(call.request, { signal: gone.signal }) as AsyncIterable<unknown>) {
        if (gone.signal.aborted) break
        if (!call.write(value))
          await new Promise<void>((resolve) => {
            call.once("drain", resolve)
            gone.signal.addEventListener("abort", () => resolve(), { once: true })
          })
      }
      call.end()
    } catch (error) {
      call.emit("error", told(name, error))
    } finally {
      streams.delete(gone)
    }
  }
}

function told(name: string, error: unknown): { code: number; details: string } {
  const status = statusOf(error)
  // what nobody foresaw is for who runs the server to read, too
  if (status.code === STATUS.unknown)
    log.warn(`${name} failed`, { reason: (error instanceof Error && error.stack) || status.details })
  return status
}
