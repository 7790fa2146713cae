/** SOCK_SEQPACKET on Unix sockets, by the event loop: each callback is one packet of the other side. */
import { basename, dirname } from "node:path"
import { ptr } from "bun:ffi"
import { AT_FDCWD, check, close, cString, lastErrno, libc, SystemError } from "../libc.ts"
import { O_CLOEXEC, O_DIRECTORY, O_NONBLOCK, O_PATH } from "../libc.ts"

const AF_UNIX = 1
const SOCK_SEQPACKET = 5
const SHUT_WR = 1
/** conmon reads packets into 32 KiB; a longer one would lose its tail. */
const MAX_PACKET_BYTES = 32 * 1024

interface Socket {
  write(chunk: Uint8Array): number
  pause(): void
  resume(): void
  terminate(): void
}

/** A connection. It starts paused: nothing is read before `resume`. */
export class Seqpacket {
  /** Resolves when either side has closed. */
  readonly closed: Promise<void>
  readonly #fd: number
  readonly #socket: Socket
  readonly #state: SocketState
  #queue: Promise<void> = Promise.resolve()

  private constructor(fd: number, socket: Socket, state: SocketState) {
    this.#fd = fd
    this.#socket = socket
    this.#state = state
    this.closed = state.closed.promise
  }

  /** Connects to `path`, of any length (a socket's own name may have 107 bytes only). Throws SystemError. */
  static async connect(path: string, onPacket: (packet: Uint8Array) => void): Promise<Seqpacket> {
    const fd = connectDescriptor(path)
    const state: SocketState = { open: true, closed: Promise.withResolvers(), drained: undefined }
    const ended = (): void => {
      state.open = false
      state.drained?.()
      state.closed.resolve()
    }
    const handlers = {
      open: (socket: Socket) => socket.pause(),
      data: (_: Socket, packet: Uint8Array) => onPacket(packet),
      drain: () => state.drained?.(),
      close: ended,
      end: ended,
      error: ended,
    }
    // `fd` is not in Bun's types yet; that packets stay apart is held by this file's test
    const socket = await Bun.connect({ fd, socket: handlers } as unknown as Parameters<typeof Bun.connect>[0])
    return new Seqpacket(fd, socket as unknown as Socket, state)
  }

  /** Resolves when the kernel has taken all of it, or the other end is gone. Calls keep their order. */
  write(chunk: Uint8Array): Promise<void> {
    return (this.#queue = this.#queue.then(() => this.#writeAll(chunk)))
  }

  /** No more will be written, once what was written is out. */
  endInput(): void {
    this.#queue = this.#queue.then(() => {
      if (this.#state.open) libc.shutdown(this.#fd, SHUT_WR)
    })
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  close(): void {
    this.#socket.terminate()
  }

  async #writeAll(chunk: Uint8Array): Promise<void> {
    for (let done = 0; done < chunk.length && this.#state.open;) {
      const written = this.#socket.write(chunk.subarray(done, done + MAX_PACKET_BYTES))
      if (written < 0) return
      done += written
      if (written === 0) await new Promise<void>((resolve) => (this.#state.drained = resolve))
    }
  }
}

interface SocketState {
  open: boolean
  closed: PromiseWithResolvers<void>
  drained: (() => void) | undefined
}

function connectDescriptor(path: string): number {
  // through a descriptor of the directory: /proc/self/fd/N/name is short whatever the path is
  const directory = check(
    libc.openat(AT_FDCWD, cString(dirname(path)), O_PATH | O_DIRECTORY | O_CLOEXEC, 0),
    "open",
    path,
  )
  try {
    const fd = check(libc.socket(AF_UNIX, SOCK_SEQPACKET | O_CLOEXEC | O_NONBLOCK, 0), "socket")
    const address = new Uint8Array(110)
    new DataView(address.buffer).setUint16(0, AF_UNIX, true)
    address.set(cString(`/proc/self/fd/${directory}/${basename(path)}`), 2)
    if (libc.connect(fd, ptr(address), address.length) === 0) return fd
    const errno = lastErrno()
    close(fd)
    throw new SystemError("connect", errno, path)
  } finally {
    close(directory)
  }
}
