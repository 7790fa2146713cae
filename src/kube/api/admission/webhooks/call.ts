/**
 * The one request that a webhook is asked by: over TLS, to an address that was looked at, without redirects, in its time, and no more of the answer is
 * read than a patch may be long. Whoever may write a configuration must not have this process read a cloud's secrets.
 */
import type { Duplex } from "node:stream"
import { connect as connectTls } from "node:tls"
import { checkedFetch, refusalOf } from "../../../../sys/net/checked-fetch.ts"
import { numberAt, textAt, treeAt, type Tree } from "../../../field.ts"
import { addressKind } from "../../../../sys/net/address-kind.ts"
import type { Hook } from "./hook.ts"

/** Who answers for a Service. */
export interface HookEndpoint {
  address: string
  port: number
  /** Of the pod. */
  uid?: string | undefined
}

/** How Services are reached. */
export interface HookNetwork {
  /** Of a Service's port. Throws Error when there is none. */
  endpoint(namespace: string, name: string, port: number): HookEndpoint | Promise<HookEndpoint>
  dial(endpoint: HookEndpoint, signal: AbortSignal): Promise<Duplex>
}

const HTTPS_PORT = 443
/** Of an answer: a patch in base64 of an object as large as one may be. */
const MAX_ANSWER_BYTES = 4 * 1024 ** 2
const MAX_HEAD_BYTES = 64 * 1024
const OK = 200

/** Asks, and gives the document of the answer. Throws Error for whatever is no answer of 200. */
export async function callHook(hook: Hook, review: Tree, network: HookNetwork): Promise<unknown> {
  const signal = AbortSignal.timeout(hook.timeoutMs)
  const { client } = hook
  const bundle = textAt(client, "caBundle")
  const ca = bundle === "" ? undefined : Buffer.from(bundle, "base64").toString("utf8")
  const body = JSON.stringify(review)
  const url = textAt(client, "url")
  const asked =
    url === "" ? viaService(treeAt(client, "service"), { body, ca, signal, network }) : byUrl(url, { body, ca, signal })
  try {
    return JSON.parse(await asked) as unknown
  } catch (error) {
    const where = url === "" ? serviceUrl(treeAt(client, "service")) : url
    const why = signal.aborted ? "context deadline exceeded" : (error as Error).message
    throw new Error(`Post "${where}?timeout=${hook.timeoutMs / 1000}s": ${why}`, { cause: error })
  }
}

interface Sent {
  body: string
  ca: string | undefined
  signal: AbortSignal
}

const HEADERS = {
  "Content-Type": "application/json",
  Accept: "application/json",
  "User-Agent": "kube-apiserver-admission",
}

async function byUrl(text: string, { body, ca, signal }: Sent): Promise<string> {
  const { response } = await checkedFetch(new URL(text), {
    method: "POST",
    headers: HEADERS,
    body,
    signal,
    ...(ca !== undefined && { tls: { ca } }),
  })
  if (response.status !== OK) {
    await response.body?.cancel()
    throw new Error(`the server answered ${response.status}, and 200 is expected`)
  }
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > MAX_ANSWER_BYTES) throw new Error(`the answer has more than ${MAX_ANSWER_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString("utf8")
}

function serviceUrl(service: Tree): string {
  const port = numberAt(service, "port") ?? HTTPS_PORT
  return `https://${textAt(service, "name")}.${textAt(service, "namespace")}.svc:${port}${textAt(service, "path") || "/"}`
}

/** By a pod of the Service, from where pods are reached; the certificate must be the Service's. */
async function viaService(
  service: Tree,
  { body, ca, signal, network }: Sent & { network: HookNetwork },
): Promise<string> {
  const [name, namespace] = [textAt(service, "name"), textAt(service, "namespace")]
  const endpoint = await network.endpoint(namespace, name, numberAt(service, "port") ?? HTTPS_PORT)
  // an EndpointSlice is written by whoever may
  const refused =
    refusalOf(endpoint.address) ?? (addressKind(endpoint.address) === "loopback" ? "it is this host itself" : undefined)
  if (refused !== undefined) throw new Error(`refused to connect to ${endpoint.address}: ${refused}`)
  const plain = await network.dial(endpoint, signal)
  const host = `${name}.${namespace}.svc`
  const onAbort = (): void => void plain.destroy(new Error("context deadline exceeded"))
  signal.addEventListener("abort", onAbort, { once: true })
  try {
    const secure = await overTls(plain, host, ca)
    // in the older version of the protocol an answer ends with its connection
    const head = Object.entries({
      ...HEADERS,
      Host: host,
      Connection: "close",
      "Content-Length": Buffer.byteLength(body),
    })
    const lines = head.map(([key, value]) => `${key}: ${value}\r\n`).join("")
    secure.write(`POST ${textAt(service, "path") || "/"} HTTP/1.0\r\n${lines}\r\n${body}`)
    return answerOf(await readAll(secure))
  } finally {
    signal.removeEventListener("abort", onAbort)
    plain.destroy()
  }
}

function overTls(socket: Duplex, servername: string, ca: string | undefined): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const secure = connectTls({ socket, servername, ...(ca !== undefined && { ca }) }, () => resolve(secure))
    secure.once("error", reject)
    socket.once("error", reject)
    socket.once("close", () => reject(new Error("EOF")))
  })
}

function readAll(stream: Duplex): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    stream.on("data", (chunk: Uint8Array) => {
      size += chunk.length
      if (size > MAX_ANSWER_BYTES + MAX_HEAD_BYTES)
        reject(new Error(`the answer has more than ${MAX_ANSWER_BYTES} bytes`))
      else chunks.push(Buffer.from(chunk))
    })
    stream.once("error", reject)
    stream.once("end", () => resolve(Buffer.concat(chunks)))
    stream.once("close", () => resolve(Buffer.concat(chunks)))
  })
}

function answerOf(bytes: Buffer): string {
  const end = bytes.indexOf("\r\n\r\n")
  const head = bytes.subarray(0, Math.max(0, end)).toString("latin1")
  const [, status] = /^HTTP\/1\.[01] (\d{3})/.exec(head) ?? []
  if (end === -1 || end > MAX_HEAD_BYTES || status === undefined) throw new Error("malformed HTTP response")
  if (Number(status) !== OK) throw new Error(`the server answered ${status}, and 200 is expected`)
  const body = bytes.subarray(end + 4)
  return /^transfer-encoding:\s*chunked\s*$/im.test(head) ? unchunked(body) : body.toString("utf8")
}

/** Of a server that does not care what it was asked in. */
function unchunked(body: Buffer): string {
  const parts: Buffer[] = []
  let from = 0
  for (;;) {
    const end = body.indexOf("\r\n", from)
    const size = end === -1 ? Number.NaN : Number.parseInt(body.subarray(from, end).toString("latin1"), 16)
    if (!Number.isSafeInteger(size) || end + 2 + size > body.length) throw new Error("malformed HTTP response")
    if (size === 0) return Buffer.concat(parts).toString("utf8")
    parts.push(body.subarray(end + 2, end + 2 + size))
    from = end + 2 + size + 2
  }
}
