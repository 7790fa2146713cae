import type { IncomingMessage, ServerResponse } from "node:http"
import { isSkiffError } from "../base/errors.ts"
import {
  manifestDocument,
  protobuf,
  type ApiRequest,
  type ApiResponse,
  type KubeApi,
  type WatchEvent,
} from "../kube/kube.ts"
import type { Callers } from "./callers.ts"

/** Of a request's body: etcd's limit, and what the words around an object take. */
const MAX_BODY_BYTES = 3 * 1024 ** 2
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const

/** Answers one request. Never throws. */
export async function handle(
  api: KubeApi,
  callers: Callers,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController()
  response.once("close", () => gone.abort())
  try {
    const asked = await readRequest(callers, request, gone.signal)
    const answer = "status" in asked ? asked : await api.request(asked)
    await write(response, answer, "status" in asked ? undefined : asked)
  } catch (error) {
    if (gone.signal.aborted) return
    if (response.headersSent) response.destroy()
    else
      await write(
        response,
        failure(500, "InternalError", `Internal error occurred: ${error instanceof Error ? error.message : "unknown"}`),
      )
  }
}

/** What is asked, or the answer that refuses it. */
export async function readRequest(
  callers: Callers,
  request: IncomingMessage,
  signal?: AbortSignal,
): Promise<ApiRequest | ApiResponse> {
  const user = callers.of(request.headers, request.socket)
  if (user === undefined) return failure(401, "Unauthorized", "Unauthorized")
  const method = METHODS.find((one) => one === request.method)
  if (method === undefined)
    return failure(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
  const [path = "/", query = ""] = split(request.url ?? "/")
  const body = await readBody(request)
  if (body === undefined)
    return failure(413, "RequestEntityTooLarge", `Request entity too large: limit is ${MAX_BODY_BYTES}`)
  const contentType = request.headers["content-type"] ?? ""
  const document = await readDocument(body, contentType)
  if (document !== undefined && "fault" in document)
    return failure(document.status, document.status === 415 ? "UnsupportedMediaType" : "BadRequest", document.fault)
  return {
    method,
    path,
    query: new URLSearchParams(query),
    user,
    accept: request.headers.accept,
    userAgent: request.headers["user-agent"],
    contentType,
    ...(document && { body: document.value }),
    ...(signal && { signal }),
  }
}

function split(url: string): [path: string, query: string] {
  const mark = url.indexOf("?")
  return mark === -1 ? [url, ""] : [url.slice(0, mark), url.slice(mark + 1)]
}

/** Undefined: it is too long. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

async function readDocument(
  body: Buffer,
  contentType: string,
): Promise<{ value: unknown } | { fault: string; status: number } | undefined> {
  if (body.length === 0) return undefined
  const [type = ""] = contentType.split(";")
  if (type.includes("cbor"))
    return {
      status: 415,
      fault:
        "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf",
    }
  try {
    if (type.includes("protobuf")) return { value: (await protobuf()).decodeProtobuf(body) }
    if (!type.includes("yaml")) return { value: JSON.parse(body.toString()) as unknown }
    return { value: manifestDocument(body.toString(), "the body") }
  } catch (error) {
    const why = isSkiffError(error) || error instanceof Error ? error.message : "unknown"
    if (isSkiffError(error) && error.data["reason"] === "UnsupportedMediaType")
      return { status: 415, fault: error.message }
    return { status: 400, fault: `the object provided is unrecognized: ${why}` }
  }
}

/** A Status of our own. */
export function failure(code: number, reason: string, message: string): ApiResponse {
  return {
    status: code,
    body: { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, reason, code },
  }
}

async function write(response: ServerResponse, answer: ApiResponse, asked?: ApiRequest): Promise<void> {
  const headers: Record<string, string | string[]> = {
    "Cache-Control": "no-cache, private",
    "X-Content-Type-Options": "nosniff",
    ...(answer.warnings &&
      answer.warnings.length > 0 && { Warning: answer.warnings.map((text) => `299 - ${JSON.stringify(text)}`) }),
  }
  if (answer.watch !== undefined) {
    response.writeHead(answer.status, {
      ...headers,
      "Content-Type": "application/json",
      "Transfer-Encoding": "chunked",
    })
    response.flushHeaders()
    for await (const event of answer.watch)
      if (!(await send(response, `${JSON.stringify(event satisfies WatchEvent)}\n`))) return
    response.end()
    return
  }
  if (answer.text !== undefined) {
    response.writeHead(answer.status, { ...headers, "Content-Type": "text/plain" })
    if (typeof answer.text === "string") await send(response, answer.text)
    else {
      response.flushHeaders()
      for await (const chunk of answer.text) if (!(await send(response, chunk))) return
    }
    response.end()
    return
  }
  const isAggregated =
    (asked?.accept ?? "").includes("as=APIGroupDiscoveryList") &&
    ["/api", "/apis"].includes(asked?.path.replace(/\/$/, "") ?? "")
  const type =
    isAggregated && answer.status === 200
      ? "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
      : "application/json"
  const text = JSON.stringify(answer.body ?? {})
  response.writeHead(answer.status, { ...headers, "Content-Type": type, "Content-Length": Buffer.byteLength(text) })
  response.end(text)
}

/** False: nobody reads any more. Waits while the connection is full. */
async function send(response: ServerResponse, chunk: string | Uint8Array): Promise<boolean> {
  if (response.destroyed) return false
  if (!response.write(chunk))
    await new Promise<void>((resolve) => {
      const go = (): void => {
        response.off("drain", go)
        response.off("close", go)
        resolve()
      }
      response.once("drain", go)
      response.once("close", go)
    })
  return !response.destroyed
}
