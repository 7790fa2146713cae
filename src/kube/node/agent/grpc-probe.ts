/** grpc.health.v1.Health/Check, as the one request of a probe. */
import { connect } from "node:http2"
import type { ProbeResult, ProbeTarget } from "./probe-target.ts"

const MAX_BODY_BYTES = 10 * 1024
/** `status` of a HealthCheckResponse: field 1. */
const [STATUS_FIELD, SERVING] = [0x08, 1]
const SERVICE_FIELD = 0x0a
const FRAME_HEAD_BYTES = 5
const MAX_NAME_BYTES = 127

/** Throws when nobody answers. */
export async function checkGrpc(
  { address, dial, sandboxId }: Pick<ProbeTarget, "address" | "dial" | "sandboxId">,
  { port, service }: { port: number; service: string },
  signal: AbortSignal,
): Promise<ProbeResult> {
  const socket = await dial({ host: address, port, sandboxId }, signal)
  try {
    return await new Promise<ProbeResult>((resolve, reject) => {
      const session = connect(`http://${address}:${port}`, { createConnection: () => socket })
      const fail = (error: Error): void =>
        reject(new Error(`timeout: failed to connect service "${address}:${port}": ${error.message}`))
      session.once("error", fail)
      signal.addEventListener("abort", () => session.destroy(), { once: true })
      const stream = session.request({
        ":method": "POST",
        ":path": "/grpc.health.v1.Health/Check",
        "content-type": "application/grpc",
        te: "trailers",
      })
      const chunks: Buffer[] = []
      let [bytes, status] = [0, "0"]
      stream.on("data", (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes > MAX_BODY_BYTES) stream.close()
        else chunks.push(chunk)
      })
      const takeStatus = (headers: Record<string, unknown>): void => {
        if (typeof headers["grpc-status"] === "string") status = headers["grpc-status"]
      }
      stream.once("response", takeStatus)
      stream.once("trailers", takeStatus)
      stream.once("error", fail)
      stream.once("close", () => {
        session.close()
        const message = Buffer.concat(chunks).subarray(FRAME_HEAD_BYTES)
        const isOk = status === "0" && message[0] === STATUS_FIELD && message[1] === SERVING
        const said = status === "0" ? "NOT_SERVING" : `status ${status}`
        resolve({ isOk, output: isOk ? "" : `service unhealthy (responded with "${said}")` })
      })
      stream.end(frameOf(Buffer.from(service).subarray(0, MAX_NAME_BYTES)))
    })
  } finally {
    socket.destroy()
  }
}

function frameOf(service: Buffer): Buffer {
  const message =
    service.length === 0 ? service : Buffer.concat([Buffer.from([SERVICE_FIELD, service.length]), service])
  const head = Buffer.alloc(FRAME_HEAD_BYTES)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}
