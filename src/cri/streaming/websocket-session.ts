/** What is done with the channels of a WebSocket. */
import type { Engine } from "../../engine/engine.ts"
import { forward } from "./port-forward.ts"
import { runCommand } from "./remote-command.ts"
import { FORWARD_PROTOCOL, serveSpdy } from "./spdy-session.ts"
import type { StreamRequest } from "./stream-request.ts"
import { Channels } from "../../sys/net/websocket/channels.ts"
import { WebSocketConnection } from "../../sys/net/websocket/websocket.ts"
import type { Wire } from "../../sys/net/websocket/wire.ts"

/** SPDY through a WebSocket: how today's kubectl forwards ports. */
const TUNNEL = "SPDY/3.1+portforward.k8s.io"

/** Which protocols a request can be spoken in, the best first. */
export function webSocketProtocols({ kind }: StreamRequest): string[] {
  if (kind === "portforward") return [TUNNEL, "v4.channel.k8s.io", "v4.base64.channel.k8s.io"]
  return [
    "v5.channel.k8s.io",
    "v4.channel.k8s.io",
    "v4.base64.channel.k8s.io",
    "channel.k8s.io",
    "base64.channel.k8s.io",
  ]
}

const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 } as const

/** Serves it to its end. */
export async function serveWebSocket(
  engine: Engine,
  wire: Wire,
  request: StreamRequest,
  protocol: string,
): Promise<void> {
  const socket = new WebSocketConnection(wire)
  if (protocol === TUNNEL) return serveSpdy(engine, tunnelled(socket, wire.closed), request, FORWARD_PROTOCOL)
  const form = { isBase64: protocol.includes("base64"), canClose: protocol.startsWith("v5.") }
  if (request.kind === "portforward") return serveForward(engine, socket, request, form)
  const channels = new Channels(socket, Object.keys(CHANNEL).length, form)
  const { streams: asked } = request
  const reading = channels.run().catch(() => {})
  const hasVersion = protocol.startsWith("v")
  await channels.greet(asked.stdout ? CHANNEL.stdout : asked.stderr ? CHANNEL.stderr : CHANNEL.error)
  await runCommand(engine, request, {
    error: channels.stream(CHANNEL.error),
    ...(asked.stdin && { stdin: channels.stream(CHANNEL.stdin) }),
    ...(asked.stdout && { stdout: channels.stream(CHANNEL.stdout) }),
    ...(asked.stderr && !asked.tty && { stderr: channels.stream(CHANNEL.stderr) }),
    ...(asked.tty && { resize: channels.stream(CHANNEL.resize) }),
    isJson: hasVersion,
    closed: wire.closed,
  })
  await channels.close()
  await reading
}

/** Two channels for each port, each of which begins with the port's number. */
async function serveForward(
  engine: Engine,
  socket: WebSocketConnection,
  { podId, ports }: Extract<StreamRequest, { kind: "portforward" }>,
  form: { isBase64: boolean; canClose: boolean },
): Promise<void> {
  const channels = new Channels(socket, ports.length * 2, form)
  const reading = channels.run().catch(() => {})
  await Promise.all(
    ports.map(async (port, index) => {
      const [data, error] = [channels.stream(index * 2), channels.stream(index * 2 + 1)]
      const number = Uint8Array.of(port & 0xff, port >> 8)
      await data.write(number)
      await error.write(number)
      await forward(engine, podId, port, { data, error })
    }),
  )
  await channels.close()
  await reading
}

/** The bytes of its messages, as of a connection. */
function tunnelled(
  socket: WebSocketConnection,
  closed: AbortSignal,
): Pick<Wire, "some" | "exactly" | "write" | "end" | "closed"> {
  const messages = socket.messages()
  let rest: Uint8Array = new Uint8Array()
  const some = async (max: number): Promise<Uint8Array | undefined> => {
    while (rest.length === 0) {
      const { value, done = false } = await messages.next()
      if (done || value === undefined) return undefined
      rest = value
    }
    const piece = rest.subarray(0, max)
    rest = rest.subarray(piece.length)
    return piece
  }
  return {
    some,
    async exactly(size) {
      const whole = new Uint8Array(size)
      for (let at = 0; at < size;) {
        const piece = await some(size - at)
        if (piece === undefined) return undefined
        whole.set(piece, at)
        at += piece.length
      }
      return whole
    },
    write: (bytes) => socket.send(bytes),
    end: () => void socket.close(),
    closed,
  }
}
