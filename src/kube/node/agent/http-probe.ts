/** The one request that probes and hooks make: what answers is a container, and no more is read of it than its status. */
import { connect as connectTls } from "node:tls"
import type { Duplex } from "node:stream"
import type { NodeHttpGet } from "../http-get.ts"
import type { Dial } from "./dial.ts"
import type { ProbeResult } from "./probe-target.ts"

const AGENT = "kube-probe/1.36"
/** Of the first line. */
const MAX_LINE_BYTES = 4096

/** Below 400 is well; a redirect elsewhere too. Throws when there is no answer. */
export async function getHttp(
  { address, dial, sandboxId }: { address: string; dial: Dial; sandboxId?: string | undefined },
  get: NodeHttpGet,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const host = get.host ?? address
  const authority = `${host.includes(":") ? `[${host}]` : host}:${get.port}`
  const url = `${get.scheme}://${authority}${get.path}`
  try {
    const plain = await dial(
      { host, port: get.port, sandboxId: get.host === undefined ? sandboxId : undefined },
      signal,
    )
    const stream = get.scheme === "https" ? await overTls(plain) : plain
    try {
      stream.write(requestText(get, authority))
      const status = await statusOf(stream)
      const isOk = status >= 200 && status < 400
      return { isOk, output: isOk ? "" : `HTTP probe failed with statuscode: ${status}` }
    } finally {
      stream.destroy()
      plain.destroy()
    }
  } catch (error) {
    throw new Error(`Get "${url}": ${(error as Error).message}`, { cause: error })
  }
}

function requestText({ path, headers }: NodeHttpGet, authority: string): string {
  const own = new Map([
    ["host", authority],
    ["user-agent", AGENT],
    ["accept", "*/*"],
    ["connection", "close"],
  ])
  // a value with a line end would be a header of its own
  for (const { name, value } of headers)
    if (/^[\w!#$%&'*+.^`|~-]+$/.test(name) && !/[\r\n\0]/.test(value)) own.set(name.toLowerCase(), value)
  return `GET ${path} HTTP/1.1\r\n${[...own].map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`
}

function overTls(socket: Duplex): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    // whose certificate it is matters to nobody (kubernetes.io, "Configure Liveness, Readiness and Startup Probes")
    const secure = connectTls({ socket, rejectUnauthorized: false }, () => resolve(secure))
    secure.once("error", reject)
  })
}

function statusOf(stream: Duplex): Promise<number> {
  return new Promise((resolve, reject) => {
    let text = ""
    stream.on("data", (chunk: Uint8Array) => {
      text += Buffer.from(chunk).toString("latin1")
      const [, status] = /^HTTP\/1\.[01] (\d{3})/.exec(text) ?? []
      if (status !== undefined) resolve(Number(status))
      else if (text.length > MAX_LINE_BYTES || !"HTTP/1.".startsWith(text.slice(0, 7)))
        reject(new Error(`malformed HTTP response ${JSON.stringify(text.slice(0, 40))}`))
    })
    stream.once("error", reject)
    stream.once("close", () => reject(new Error("EOF")))
    stream.once("end", () => reject(new Error("EOF")))
  })
}
