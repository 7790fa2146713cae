/** Connections to the loopback of a network namespace, by the event loop. */
import { setTimeout as sleep } from "node:timers/promises"
import { closeSync } from "node:fs"
import { ptr } from "bun:ffi"
import { lastErrno, libc, SystemError } from "../libc.ts"
import { AF_INET, AF_INET6, openNetns, visitNetns } from "./netns.ts"

const EINPROGRESS = 115
const EALREADY = 114
const EISCONN = 106
const SHUT_WR = 1
/** A server whose queue is full is tried for so long. */
const WAIT_MS = 10_000
const OWN = "/proc/thread-self/ns/net"

/** Bytes both ways. Nothing is read before `onData`. */
export interface StreamConnection extends Disposable {
  /** The next piece waits until the promise resolves. */
  onData(sink: (chunk: Uint8Array) => void | Promise<void>): void
  /** Resolves when the other side has ended, and all that it sent was taken. */
  readonly ended: Promise<void>
  /** Resolves when the kernel has taken it, or the other side is gone. */
  write(chunk: Uint8Array): Promise<void>
  /** No more will be written. */
  end(): void
}

/**
 * Connects to a port of 127.0.0.1, or of ::1 where nobody listens there, in the network namespace at `path`; undefined: our own. `oneWay` as of
 * `visitNetns`. Throws SystemError: ECONNREFUSED, ETIMEDOUT.
 */
export async function connectLoopback(
  port: number,
  path: string | undefined,
  oneWay: boolean,
): Promise<StreamConnection> {
  const netns = openNetns(path ?? OWN)
  try {
    const [sockets] = await visitNetns([{ netns, streams: true }], path !== undefined && oneWay)
    const { stream4 = -1, stream6 = -1 } = sockets ?? {}
    try {
      await connect(stream4, ipv4(port), port)
    } catch (error) {
      closeSync(stream4)
      if (stream6 < 0) throw error
      await connect(stream6, ipv6(port), port).catch(() => {
        closeSync(stream6)
        throw error
      })
      return adopt(stream6)
    }
    if (stream6 >= 0) closeSync(stream6)
    return adopt(stream4)
  } finally {
    closeSync(netns)
  }
}

async function connect(fd: number, address: Uint8Array, port: number): Promise<void> {
  for (const end = Date.now() + WAIT_MS; Date.now() < end; await sleep(5)) {
    if (libc.connect(fd, ptr(address), address.length) === 0) return
    let errno = lastErrno()
    // of the loopback most are done by now: a second call says what came of it
    if (errno === EINPROGRESS && libc.connect(fd, ptr(address), address.length) === 0) return
    if (errno === EINPROGRESS) errno = lastErrno()
    if (errno === EISCONN) return
    if (errno !== EALREADY) throw new SystemError("connect", errno, `to port ${port}`)
  }
  throw new SystemError("connect", ETIMEDOUT, `to port ${port}`)
}

const ETIMEDOUT = 110

/** ip(7) */
function ipv4(port: number): Uint8Array {
  const address = new Uint8Array(16)
  const view = new DataView(address.buffer)
  view.setUint16(0, AF_INET, true)
  view.setUint16(2, port)
  address.set([127, 0, 0, 1], 4)
  return address
}

/** ipv6(7) */
function ipv6(port: number): Uint8Array {
  const address = new Uint8Array(28)
  const view = new DataView(address.buffer)
  view.setUint16(0, AF_INET6, true)
  view.setUint16(2, port)
  address[23] = 1
  return address
}

interface Socket {
  write(chunk: Uint8Array): number
  pause(): void
  resume(): void
  terminate(): void
}

/** Gives the descriptor to the event loop. */
async function adopt(fd: number): Promise<StreamConnection> {
  const ended = Promise.withResolvers<void>()
  const state: { isOpen: boolean; drained: (() => void) | undefined } = { isOpen: true, drained: undefined }
  let sink: ((chunk: Uint8Array) => void | Promise<void>) | undefined
  let taken: Promise<void> = Promise.resolve()
  let written: Promise<void> = Promise.resolve()
  const over = (): void => {
    void taken.finally(() => ended.resolve())
  }
  const closed = (): void => {
    state.isOpen = false
    state.drained?.()
    over()
  }
  const handlers = {
    open: (one: Socket) => one.pause(),
    data(one: Socket, chunk: Uint8Array) {
      const bytes = chunk.slice()
      const before = taken
      one.pause()
      const done: Promise<void> = before
        .then(() => sink?.(bytes))
        .catch(() => {})
        .then(() => {
          if (done === taken && state.isOpen) one.resume()
        })
      taken = done
    },
    drain: () => state.drained?.(),
    end: over,
    close: closed,
    error: closed,
  }
  // `fd` is not in Bun's types yet; and its other half stays open when one has ended
  const options = { fd, socket: handlers, allowHalfOpen: true }
  const socket = (await Bun.connect(options as unknown as Parameters<typeof Bun.connect>[0])) as unknown as Socket
  const writeAll = async (chunk: Uint8Array): Promise<void> => {
    for (let done = 0; done < chunk.length && state.isOpen;) {
      const count = socket.write(chunk.subarray(done))
      if (count < 0) return
      done += count
      if (done < chunk.length) await new Promise<void>((resolve) => (state.drained = resolve))
    }
  }
  return {
    onData(callback) {
      sink = callback
      socket.resume()
    },
    ended: ended.promise,
    write: (chunk) => (written = written.then(() => writeAll(chunk))),
    end: () => void written.then(() => state.isOpen && libc.shutdown(fd, SHUT_WR)),
    [Symbol.dispose]: () => state.isOpen && socket.terminate(),
  }
}
