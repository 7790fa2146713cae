import { randomBytes } from "node:crypto"
import { connect as connectTcp, isIP, type Socket } from "node:net"
import { connect as connectTls } from "node:tls"
import { FailedPrecondition, Unavailable } from "../../../base/errors.ts"
import { Channels } from "../../../sys/net/websocket/channels.ts"
import { acceptKey, WebSocketConnection } from "../../../sys/net/websocket/websocket.ts"
import { Wire } from "../../../sys/net/websocket/wire.ts"
import { errorOfStatus } from "../../api/status.ts"
import type { PodStream, StreamRequest } from "../kube-client.ts"

/** Where a stream is opened, and as whom. */
export interface StreamPlace extends StreamRequest {
  server: string
  headers: Readonly<Record<string, string>>
  tls: { ca?: string; cert?: string; key?: string; rejectUnauthorized?: boolean; serverName?: string }
}

const MAX_HEAD_BYTES = 32 * 1024
/** Of an answer that refuses. */
const MAX_TEXT_BYTES = 64 * 1024
const CONNECT_MS = 30_000
/** stdin, stdout, stderr, what went wrong, the size of the terminal; of forwarded ports two for each. */
const CHANNELS = 5

/**
 * Opens a WebSocket of Kubernetes' channels. No redirect is followed, and nothing is sent before the server's certificate is known to be right. Throws what the server
 * says in a Status, Unavailable where it cannot be reached, FailedPrecondition where it speaks none of the protocols.
 */
export async function openStream(place: StreamPlace): Promise<PodStream> {
  const url = new URL(place.server)
  const socket = await connected(url, place)
  try {
    const key = randomBytes(16).toString("base64")
    socket.write(requestText(url, place, key))
    const wire = new Wire(socket, new Uint8Array())
    const { status, headers } = await readHead(wire)
    if (status !== 101) throw errorOfStatus(await readStatus(wire, headers), status)
    const protocol = headers["sec-websocket-protocol"] ?? ""
    if (headers["sec-websocket-accept"] !== acceptKey(key) || !place.protocols.includes(protocol))
      throw new FailedPrecondition(`the server speaks none of ${place.protocols.join(", ")}`, {
        hint: "Kubernetes does from 1.30 on",
      })
    const connection = new WebSocketConnection(wire, { isClient: true })
    const form = { isBase64: false, canClose: protocol.startsWith("v5."), isClient: true }
    return {
      protocol,
      channels: new Channels(connection, CHANNELS, form),
      [Symbol.dispose]: () => socket.destroy(),
    }
  } catch (error) {
    socket.destroy()
    throw error
  }
}

async function connected(url: URL, { tls, signal }: StreamPlace): Promise<Socket> {
  const isTls = url.protocol === "https:"
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1")
  const port = Number(url.port) || (isTls ? 443 : 80)
  const { serverName, ...rest } = tls
  const name = serverName ?? (isIP(host) === 0 ? host : undefined)
  const socket = isTls
    ? connectTls({ host, port, ...rest, ...(name !== undefined && { servername: name }), ALPNProtocols: ["http/1.1"] })
    : connectTcp({ host, port })
  signal?.addEventListener("abort", () => socket.destroy(), { once: true })
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("it does not answer")), CONNECT_MS)
      const done = (): void => {
        clearTimeout(timer)
        resolve()
      }
      socket.once(isTls ? "secureConnect" : "connect", done)
      socket.once("error", (error) => {
        clearTimeout(timer)
        reject(error)
      })
    })
    return socket
  } catch (cause) {
    socket.destroy()
    throw new Unavailable(
      `The connection to the server ${url.origin} was refused or failed: ${cause instanceof Error ? cause.message : "unknown"}`,
      {
        hint: "did you specify the right host or port?",
        cause,
      },
    )
  }
}

function requestText(url: URL, { path, query, protocols, headers }: StreamPlace, key: string): string {
  const text = query.toString()
  const fields = {
    Host: url.host,
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": key,
    "Sec-WebSocket-Protocol": protocols.join(", "),
    ...headers,
  }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value.replaceAll(/[\r\n]/g, "")}\r\n`)
  return `GET ${url.pathname.replace(/\/$/, "")}${path}${text === "" ? "" : `?${text}`} HTTP/1.1\r\n${lines.join("")}\r\n`
}

async function readHead(wire: Wire): Promise<{ status: number; headers: Readonly<Record<string, string>> }> {
  let text = ""
  while (!text.endsWith("\r\n\r\n")) {
    const byte = await wire.exactly(1)
    if (byte === undefined || text.length > MAX_HEAD_BYTES) throw new Unavailable("the server has ended the connection")
    text += String.fromCharCode(byte[0] ?? 0)
  }
  const [line = "", ...fields] = text.trimEnd().split("\r\n")
  const headers: Record<string, string> = Object.create(null) as Record<string, string>
  for (const field of fields) {
    const colon = field.indexOf(":")
    if (colon > 0) headers[field.slice(0, colon).toLowerCase()] = field.slice(colon + 1).trim()
  }
  return { status: Number(/^HTTP\/1\.[01] (\d{3})/.exec(line)?.[1] ?? 0), headers }
}

/** A Status; of other texts its words. */
async function readStatus(wire: Wire, headers: Readonly<Record<string, string>>): Promise<unknown> {
  const length = Number(headers["content-length"] ?? MAX_TEXT_BYTES)
  const chunks: Uint8Array[] = []
  for (let bytes = 0; bytes < Math.min(length, MAX_TEXT_BYTES);) {
    const chunk = await wire.some(MAX_TEXT_BYTES)
    if (chunk === undefined) break
    chunks.push(chunk)
    bytes += chunk.length
  }
  const text = Buffer.concat(chunks).toString()
  // a body in pieces has lengths around its text
  const json = /\{[\s\S]*\}/.exec(text)?.[0]
  try {
    return JSON.parse(json ?? "")
  } catch {
    return { message: text.trim().slice(0, 500) }
  }
}
