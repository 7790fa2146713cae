/** What is done with the streams of a SPDY connection. */
import type { Engine } from "../../engine/engine.ts"
import { runCommand } from "./remote-command.ts"
import { forward, StreamPairs } from "./port-forward.ts"
import { SpdyConnection, type SpdyStream } from "./spdy/spdy-connection.ts"
import type { StreamRequest } from "./stream-request.ts"
import type { Wire } from "../../sys/net/websocket/wire.ts"

/** Protocols of exec and attach by SPDY, the best first. v3 brought sizes of the terminal, v4 the end as JSON. */
export const COMMAND_PROTOCOLS = ["v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io"]
/** Of port forwarding. */
export const FORWARD_PROTOCOL = "portforward.k8s.io"
/** How long the client may take to open its streams. */
const STREAMS_MS = 30_000

type Connection = Pick<Wire, "some" | "exactly" | "write" | "end" | "closed">

/** Serves it to its end. */
export async function serveSpdy(
  engine: Engine,
  wire: Connection,
  request: StreamRequest,
  protocol: string,
): Promise<void> {
  await (request.kind === "portforward"
    ? serveForward(engine, wire, request.podId)
    : serveCommand(engine, wire, request, protocol))
}

async function serveForward(engine: Engine, wire: Connection, podId: string): Promise<void> {
  const pairs = new StreamPairs((port, pair) => void forward(engine, podId, port, pair))
  const connection = new SpdyConnection(wire, (stream) => pairs.add(stream))
  try {
    await connection.run()
  } finally {
    pairs.end()
    wire.end()
  }
}

async function serveCommand(
  engine: Engine,
  wire: Connection,
  request: Extract<StreamRequest, { kind: "exec" | "attach" }>,
  protocol: string,
): Promise<void> {
  const { streams: asked } = request
  const hasSizes = asked.tty && !["v2.channel.k8s.io", "channel.k8s.io"].includes(protocol)
  const wanted = [
    "error",
    ...(asked.stdin ? ["stdin"] : []),
    ...(asked.stdout ? ["stdout"] : []),
    ...(asked.stderr && !asked.tty ? ["stderr"] : []),
    ...(hasSizes ? ["resize"] : []),
  ]
  const opened = new Map<string, SpdyStream>()
  const all = Promise.withResolvers<void>()
  const connection = new SpdyConnection(wire, (stream) => {
    const { streamtype: type = "" } = stream.headers
    if (!wanted.includes(type) || opened.has(type)) return void stream.reset()
    opened.set(type, stream)
    if (opened.size === wanted.length) all.resolve()
  })
  const reading = connection.run().catch(() => {})
  const timer = setTimeout(() => all.reject(new Error("the client did not open its streams in time")), STREAMS_MS)
  try {
    await Promise.race([all.promise, reading.then(() => Promise.reject(new Error("the client has gone")))])
  } catch {
    return void wire.end()
  } finally {
    clearTimeout(timer)
  }
  const error = opened.get("error")
  if (error === undefined) return
  await runCommand(engine, request, {
    error,
    stdin: opened.get("stdin"),
    stdout: opened.get("stdout"),
    stderr: opened.get("stderr"),
    resize: opened.get("resize"),
    isJson: protocol === "v4.channel.k8s.io",
    closed: wire.closed,
  })
  await connection.close()
  await reading
}
