import { Unavailable } from "../../../base/errors.ts"
import type { ApiResponse, WatchEvent } from "../../api/api.ts"
import { kindsOfDiscovery } from "../../api/discovery.ts"
import type { ClientRequest, Transport } from "../kube-client.ts"
import { boundedText } from "./bounded-text.ts"
import { pluginCredential, type PluginCredential } from "./exec-plugin.ts"
import { connectionOf, readKubeconfig, type Connection, type KubeconfigRequest } from "./kubeconfig.ts"

const AGENT = "kubectl/v1.35.0"
const DISCOVERY =
  "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"
/** Earlier than its end a token is asked for anew. */
const MARGIN_MS = 30_000
const MAX_ANSWER = 256 * 1024 ** 2

/** Options of the runtime's fetch beside the standard's. */
interface TlsInit extends RequestInit {
  tls?: { ca?: string; cert?: string; key?: string; rejectUnauthorized?: boolean; serverName?: string }
}

/** A cluster by HTTP. */
export async function connect({ context, path }: KubeconfigRequest): Promise<Transport> {
  const connection = connectionOf(readKubeconfig(path), context)
  let known: PluginCredential | undefined
  const credentials = async (): Promise<PluginCredential> => {
    const isOld = known?.expiresAt !== undefined && known.expiresAt - MARGIN_MS < Date.now()
    if (known === undefined || isOld) known = await pluginCredential(connection)
    return known
  }
  const request = async (asked: ClientRequest): Promise<ApiResponse> => send(connection, await credentials(), asked)
  return {
    request,
    async kinds() {
      const documents = await Promise.all(
        ["/api", "/apis"].map(async (where) => (await request({ method: "GET", path: where, accept: DISCOVERY })).body),
      )
      return kindsOfDiscovery(documents)
    },
    async stream(asked) {
      const [{ openStream }, credential] = await Promise.all([import("./open-stream.ts"), credentials()])
      const headers = headersOf(connection, credential)
      return openStream({ ...asked, server: connection.server, headers, tls: tlsOf(connection, credential) })
    },
    namespace: connection.namespace,
    server: connection.server,
    isLocal: false,
  }
}

async function send(connection: Connection, credential: PluginCredential, asked: ClientRequest): Promise<ApiResponse> {
  const { method, path, query, body, contentType, accept, signal } = asked
  const text = query === undefined ? "" : query.toString()
  const init: TlsInit = {
    method,
    redirect: "error",
    headers: {
      Accept: accept ?? "application/json",
      ...(body !== undefined && { "Content-Type": contentType ?? "application/json" }),
      ...headersOf(connection, credential),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(signal && { signal }),
    tls: tlsOf(connection, credential),
  }
  let response: Response
  try {
    response = await fetch(`${connection.server}${path}${text === "" ? "" : `?${text}`}`, init)
  } catch (cause) {
    if (signal?.aborted === true) throw cause
    throw new Unavailable(
      `The connection to the server ${connection.server} was refused or failed: ${cause instanceof Error ? cause.message : "unknown"}`,
      {
        hint: "did you specify the right host or port?",
        cause,
      },
    )
  }
  return answerOf(response, asked)
}

/** Who asks. */
function headersOf(connection: Connection, credential: PluginCredential): Record<string, string> {
  const token = credential.token ?? connection.token
  return {
    "User-Agent": AGENT,
    ...(token !== undefined && { Authorization: `Bearer ${token}` }),
    ...(token === undefined && connection.basic !== undefined && { Authorization: `Basic ${connection.basic}` }),
    ...(connection.impersonate !== undefined && { "Impersonate-User": connection.impersonate }),
  }
}

function tlsOf(connection: Connection, credential: PluginCredential): NonNullable<TlsInit["tls"]> {
  const cert = credential.certificate ?? connection.certificate
  const key = credential.key ?? connection.key
  return {
    ...(connection.authority !== undefined && { ca: connection.authority }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(connection.serverName !== undefined && { serverName: connection.serverName }),
    rejectUnauthorized: !connection.isInsecure,
  }
}

async function answerOf(response: Response, asked: ClientRequest): Promise<ApiResponse> {
  const { status } = response
  const warnings = warningsOf(response.headers.get("warning") ?? "")
  const isStream = asked.query?.get("watch") === "true" || asked.query?.get("follow") === "true"
  if (response.ok && isStream && response.body !== null) {
    if (asked.query?.get("watch") === "true") return { status, watch: eventsOf(response.body), warnings }
    return { status, text: bytesOf(response.body), warnings }
  }
  const text = response.body === null ? "" : await boundedText(response.body, MAX_ANSWER)
  if (!(response.headers.get("content-type") ?? "").includes("json")) {
    if (response.ok) return { status, text, warnings }
    return { status, body: { message: text.trim() || `the server answered ${status}` }, warnings }
  }
  try {
    return { status, body: JSON.parse(text) as unknown, warnings }
  } catch (cause) {
    throw new Unavailable("the server's answer is no JSON", { cause })
  }
}

/** `299 - "unknown field"`. */
function warningsOf(header: string): string[] {
  return [...header.matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, text = ""]) => text.replaceAll(/\\(.)/g, "$1"))
}

async function* bytesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) yield chunk
}

const MAX_LINE = 16 * 1024 ** 2

/** One JSON document a line. */
async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<WatchEvent> {
  const decoder = new TextDecoder()
  let rest = ""
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true })
    for (let end = rest.indexOf("\n"); end !== -1; end = rest.indexOf("\n")) {
      const line = rest.slice(0, end)
      rest = rest.slice(end + 1)
      if (line.trim() !== "") yield JSON.parse(line) as WatchEvent
    }
    if (rest.length > MAX_LINE) throw new Unavailable("the server's watch has a line of more than 16 MiB")
  }
}
