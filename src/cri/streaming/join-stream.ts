/** A connection that asks for SPDY/3.1 or WebSocket, joined to a program or a port of a container. */
import type { Socket } from "node:net"
import type { Engine } from "../../engine/engine.ts"
import { answerHead, wordsOf, type RequestHead } from "./http-head.ts"
import { COMMAND_PROTOCOLS, FORWARD_PROTOCOL, serveSpdy } from "./spdy-session.ts"
import type { StreamRequest } from "./stream-request.ts"
import { acceptKey } from "../../sys/net/websocket/websocket.ts"
import { serveWebSocket, webSocketProtocols } from "./websocket-session.ts"
import { Wire } from "../../sys/net/websocket/wire.ts"

/** A request to upgrade a connection. */
export interface JoinRequest {
  head: RequestHead
  /** What was read behind the head. */
  rest: Uint8Array
  request: StreamRequest
  /** Called once it is certain that the stream begins. */
  onJoin?: () => void
}

/** Answers the request and serves the stream to its end; refuses what asks for no protocol that is spoken here. */
export async function joinStream(engine: Engine, socket: Socket, join: JoinRequest): Promise<void> {
  const upgrade = (join.head.headers["upgrade"] ?? "").toLowerCase()
  if (upgrade === "websocket") return joinWebSocket(engine, socket, join)
  if (upgrade === "spdy/3.1" && ["POST", "GET"].includes(join.head.method)) return joinSpdy(engine, socket, join)
  refuse(socket, 400, "Bad Request", "unable to upgrade: expected SPDY/3.1 or websocket\n")
}

async function joinSpdy(
  engine: Engine,
  socket: Socket,
  { head: { headers }, rest, request, onJoin }: JoinRequest,
): Promise<void> {
  const offered = wordsOf(headers["x-stream-protocol-version"])
  const known = request.kind === "portforward" ? [FORWARD_PROTOCOL] : COMMAND_PROTOCOLS
  // a client that names none speaks the first that there was
  const chosen = offered.length === 0 ? known.at(-1) : known.find((name) => offered.includes(name))
  if (chosen === undefined)
    return refuse(socket, 403, "Forbidden", "none of these protocols is spoken here\n", {
      "X-Accepted-Stream-Protocol-Versions": known.join(", "),
    })
  onJoin?.()
  const answer = {
    Connection: "Upgrade",
    Upgrade: "SPDY/3.1",
    ...(offered.length > 0 && { "X-Stream-Protocol-Version": chosen }),
  }
  socket.write(answerHead(101, "Switching Protocols", answer))
  await serveSpdy(engine, new Wire(socket, rest), request, chosen)
}

async function joinWebSocket(
  engine: Engine,
  socket: Socket,
  { head: { method, headers }, rest, request, onJoin }: JoinRequest,
): Promise<void> {
  const key = headers["sec-websocket-key"] ?? ""
  if (method !== "GET" || headers["sec-websocket-version"] !== "13" || !/^[A-Za-z0-9+/]{22}==$/.test(key))
    return refuse(socket, 400, "Bad Request", "this is no WebSocket of version 13\n", {
      "Sec-WebSocket-Version": "13",
    })
  const offered = wordsOf(headers["sec-websocket-protocol"])
  const known = webSocketProtocols(request)
  const chosen = offered.length === 0 ? "channel.k8s.io" : known.find((name) => offered.includes(name))
  if (chosen === undefined || !known.includes(chosen))
    return refuse(socket, 403, "Forbidden", `none of these protocols is spoken here: ${known.join(", ")}\n`)
  onJoin?.()
  const answer = {
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Accept": acceptKey(key),
    ...(offered.length > 0 && { "Sec-WebSocket-Protocol": chosen }),
  }
  socket.write(answerHead(101, "Switching Protocols", answer))
  await serveWebSocket(engine, new Wire(socket, rest), request, chosen)
}

/** Answers with a line of text, and closes. */
export function refuse(
  socket: Socket,
  status: number,
  reason: string,
  text = "",
  headers: Readonly<Record<string, string>> = {},
): void {
  socket.end(answerHead(status, reason, headers, text))
  setTimeout(() => socket.destroy(), 1000).unref()
}
