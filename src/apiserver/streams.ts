import type { IncomingMessage } from "node:http"
import type { Socket } from "node:net"
import { streaming, type RequestHead, type StreamRequest } from "../cri/cri.ts"
import type { Engine } from "../engine/engine.ts"
import { POD_UID_LABEL, runningContainer, textAt, type KubeApi, type PodConnection } from "../kube/kube.ts"
import type { Callers } from "./callers.ts"

/** What a stream is served with. */
export interface StreamDeps {
  engine: Engine
  api: KubeApi
  callers: Callers
}

/** Joins who asks for a stream to a program or a port of a pod. Never throws. */
export async function serveStream(
  { engine, api, callers }: StreamDeps,
  request: IncomingMessage,
  socket: Socket,
  rest: Uint8Array,
): Promise<void> {
  socket.on("error", () => socket.destroy())
  const { joinStream, refuse } = await streaming()
  try {
    const user = callers.of(withWebSocketToken(request).headers, request.socket)
    if (user === undefined)
      return refuse(socket, 401, "Unauthorized", statusText(401, "Unauthorized", "Unauthorized"), JSON_TYPE)
    const url = new URL(request.url ?? "/", "https://localhost")
    const connection = await api.connect({ method: "POST", path: url.pathname, query: url.searchParams, user })
    if ("status" in connection)
      return refuse(socket, connection.status, "Refused", JSON.stringify(connection.body), JSON_TYPE)
    const wanted = await streamOf(engine, connection, url.searchParams)
    await joinStream(engine, socket, { head: headOf(request), rest, request: wanted })
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    refuse(socket, 400, "Bad Request", statusText(400, "BadRequest", message), JSON_TYPE)
  }
}

const JSON_TYPE = { "Content-Type": "application/json" }

function statusText(code: number, reason: string, message: string): string {
  return JSON.stringify({ kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, reason, code })
}

/** A browser cannot set a header: its token is one of the protocols that it offers. */
function withWebSocketToken(request: IncomingMessage): IncomingMessage {
  const offered = (request.headers["sec-websocket-protocol"] ?? "").split(",").map((one) => one.trim())
  const PREFIX = "base64url.bearer.authorization.k8s.io."
  const token = offered.find((one) => one.startsWith(PREFIX))
  if (token !== undefined && request.headers.authorization === undefined)
    request.headers.authorization = `Bearer ${Buffer.from(token.slice(PREFIX.length), "base64url").toString()}`
  return request
}

function headOf(request: IncomingMessage): RequestHead {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(request.headers))
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(", ") : value
  return { method: request.method ?? "GET", path: request.url ?? "/", headers }
}

async function streamOf(engine: Engine, { part, pod }: PodConnection, query: URLSearchParams): Promise<StreamRequest> {
  if (part === "portforward") {
    const uid = textAt(pod, "metadata", "uid")
    const found = (await (await engine.pods()).list()).find(({ options }) => options.labels?.[POD_UID_LABEL] === uid)
    if (found === undefined)
      throw new Error(
        `unable to forward port because pod is not running. Current status=${textAt(pod, "status", "phase")}`,
      )
    const ports = query
      .getAll("ports")
      .flatMap((one) => one.split(","))
      .map(Number)
    return { kind: "portforward", podId: found.id, ports: ports.filter((port) => port > 0 && port <= 65_535) }
  }
  const isOn = (name: string): boolean => ["true", "1"].includes(query.get(name) ?? "")
  const container = runningContainer(await engine.containers(), pod, query.get("container") ?? "")
  const streams = {
    stdin: isOn("stdin"),
    stdout: isOn("stdout"),
    stderr: isOn("stderr") && !isOn("tty"),
    tty: isOn("tty"),
  }
  if (part === "attach") return { kind: "attach", containerId: container.id, streams }
  const command = query.getAll("command")
  if (command.length === 0) throw new Error("you must specify at least one command for the container")
  return { kind: "exec", containerId: container.id, command, streams }
}
