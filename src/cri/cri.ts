/**
 * Kubernetes' Container Runtime Interface on a socket: kubelet and crictl use this engine as their runtime.
 *
 *   kubelet ── gRPC on a unix socket ──▶ calls/        one file a resource: what is asked becomes what the engine's domains take
 *        │                                │
 *        │                                └─▶ config/  of CRI's messages to the engine's options; pure where it can be
 *        └── SPDY/3.1, WebSocket ───────▶ streaming/   exec, attach, port forwarding, at URLs that work once
 *
 * A sandbox is a pod of the engine, a container is one of its containers; what CRI knows beyond them is kept as a note with their
 * records (notes.ts). So the server may be killed at any moment and started again: what it shows is what the records and the
 * kernel say. Pods and containers without a note are of other front ends: they are neither shown nor changed. Images are everybody's.
 */
import { mkdirSync } from "node:fs"
import { dirname } from "node:path"
import type { Engine } from "../engine/engine.ts"
import type { CriContext } from "./context.ts"
import type { RuntimeServiceCalls } from "./protocol/messages.ts"
import type { Handlers } from "./protocol/service.ts"

export type { RequestHead } from "./streaming/http-head.ts"
export type { JoinRequest } from "./streaming/join-stream.ts"
export type { StreamRequest } from "./streaming/stream-request.ts"

/** Streams of exec, attach and port forwarding, for who serves them elsewhere. */
export const streaming = (): Promise<typeof import("./streaming/join-stream.ts")> =>
  import("./streaming/join-stream.ts")

/** How it serves. */
export interface CriOptions {
  /** Path of the socket. */
  socket: string
  /** Where streams are fetched; port 0: any that is free. */
  stream: { address: string; port: number }
  /** That sandboxes are on. Default: the one with kubelet's range of addresses, else the engine's default. */
  network?: string
}

export interface CriServer extends AsyncDisposable {
  /** Where streams are fetched. */
  readonly streamUrl: string
}

const DEFAULT_NETWORK = "bridge"
/** How often what killed processes left is looked for. */
const MAINTENANCE_MS = 30_000

/** Serves until it is disposed of. Throws AlreadyExists when another server answers at the socket, InvalidArgument, errno errors. */
export async function serveCri(engine: Engine, options: CriOptions): Promise<CriServer> {
  mkdirSync(dirname(options.socket), { recursive: true, mode: 0o700 })
  const { StreamServer } = await import("./streaming/stream-server.ts")
  await using undo = new AsyncDisposableStack()
  const streams = undo.use(await StreamServer.listen(engine, options.stream.address, options.stream.port))
  const { POD_NETWORK } = await import("./calls/runtime.ts")
  let root: Promise<string> | undefined
  const context: CriContext = {
    engine,
    async network() {
      if (options.network !== undefined) return options.network
      const isKnown = (await engine.networks()).list().some(({ name }) => name === POD_NETWORK)
      return isKnown ? POD_NETWORK : DEFAULT_NETWORK
    },
    root: () => (root ??= engine.info().then((info) => info.root)),
    streamUrl: (request) => streams.promise(request),
  }
  undo.use(maintained(engine))
  undo.use(await serveServices(context, options.socket))
  const owned = undo.move()
  return { streamUrl: streams.url, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** All calls, so that none is forgotten. */
type RuntimeService = Handlers<RuntimeServiceCalls>

async function serveServices(context: CriContext, socket: string): Promise<AsyncDisposable> {
  const [grpc, { runtimeCalls }, sandboxes, containers, exec, stats, metrics, events, images, { Usages }] =
    await Promise.all([
      import("./grpc.ts"),
      import("./calls/runtime.ts"),
      import("./calls/sandboxes.ts"),
      import("./calls/containers.ts"),
      import("./calls/exec.ts"),
      import("./calls/stats.ts"),
      import("./calls/metrics.ts"),
      import("./calls/events.ts"),
      import("./calls/images.ts"),
      import("./calls/usage.ts"),
    ])
  const usages = new Usages(context)
  const runtimeService: RuntimeService = {
    ...runtimeCalls(context),
    ...sandboxes.sandboxCalls(context),
    ...containers.containerCalls(context),
    ...exec.execCalls(context),
    ...stats.statsCalls(context, usages),
    ...metrics.metricsCalls(context, usages),
    ...events.eventCalls(context),
  }
  return grpc.serveGrpc(socket, {
    "runtime.v1.RuntimeService": { ...runtimeService },
    "runtime.v1.ImageService": { ...images.imageCalls(context) },
  })
}

/** What commands do at their end, a server does now and then. */
function maintained(engine: Engine): Disposable {
  const ended = new AbortController()
  let isRunning = false
  const timer = setInterval(() => {
    if (isRunning) return
    isRunning = true
    engine
      .maintain({ signal: ended.signal })
      .catch(() => {})
      .finally(() => (isRunning = false))
  }, MAINTENANCE_MS)
  return {
    [Symbol.dispose]() {
      clearInterval(timer)
      ended.abort()
    },
  }
}
