import { connect } from "node:net"
import { Duplex } from "node:stream"
import type { Sandboxes } from "../../../sandbox/sandbox.ts"

export interface DialTarget {
  host: string
  port: number
  /** Of the pod whose address it is; undefined: somewhere else. */
  sandboxId?: string | undefined
}

/** Opens connections to ports of pods. Rejects when nobody answers. */
export type Dial = (target: DialTarget, signal: AbortSignal) => Promise<Duplex>

/** As root the host's own network leads to them. */
export const dialFromHost: Dial = ({ host, port }, signal) =>
  new Promise((resolve, reject) => {
    const socket = connect({ host, port })
    const onAbort = (): void => {
      socket.destroy()
      reject(new Error("context deadline exceeded"))
    }
    signal.addEventListener("abort", onAbort, { once: true })
    socket.once("error", reject)
    socket.once("connect", () => resolve(socket))
    socket.once("close", () => signal.removeEventListener("abort", onAbort))
  })

/** An ordinary user's pods are in namespaces that the host does not reach: from inside, by their loopback. */
export function dialFromInside(sandboxes: () => Sandboxes): Dial {
  return async ({ host, port, sandboxId }, signal) => {
    if (sandboxId === undefined) return dialFromHost({ host, port }, signal)
    const connection = await sandboxes().connect(sandboxId, port)
    const stream = new Duplex({
      read() {},
      write(chunk: Uint8Array, _encoding, done) {
        connection.write(chunk).then(() => done(), done)
      },
      final(done) {
        connection.end()
        done()
      },
      destroy(error, done) {
        connection[Symbol.dispose]()
        done(error)
      },
    })
    connection.onData((chunk) => void stream.push(chunk))
    void connection.ended.then(() => stream.push(null))
    signal.addEventListener("abort", () => stream.destroy(), { once: true })
    return stream
  }
}
