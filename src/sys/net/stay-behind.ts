/**
 * Sockets of the network namespace in which this process began, for one that then goes to another for good.
 *
 * A thread keeps the namespace of who made it. So one is made before, and hands on what is to be sent and what comes. Its text imports nothing
 * (netns.ts says why it is a text).
 */

/** Where to, and by what. */
export interface Destination {
  kind: "udp" | "tcp"
  address: string
  port: number
}

/** Hears what comes back, from that place alone. */
export interface ExchangeHandlers {
  received(bytes: Uint8Array): void
  /** Nobody is there, or no more. */
  closed(): void
}

/** The thread. Disposing ends it, with all that is open. */
export interface StayBehind extends Disposable {
  /** Sends bytes by a socket of their own, connected and on a port that the kernel chooses. Disposing closes it; nothing is heard then. */
  exchange(destination: Destination, bytes: Uint8Array, handlers: ExchangeHandlers): Disposable
}

const THREAD_SOURCE = `
const open = new Map()
const told = (id) => ({
  data(_, bytes) { postMessage({ id, bytes }) },
  error() { postMessage({ id }) },
})
const acts = {
  udp: async ({ id, address, port, bytes }) => {
    const socket = await Bun.udpSocket({ connect: { hostname: address, port }, socket: told(id) })
    open.set(id, socket)
    socket.send(bytes)
  },
  tcp: async ({ id, address, port, bytes }) => {
    const closed = () => postMessage({ id })
    const socket = await Bun.connect({ hostname: address, port, socket: { ...told(id), close: closed, connectError: closed } })
    open.set(id, { close: () => socket.terminate() })
    socket.write(bytes)
  },
}
const wanted = new Set()
self.onmessage = ({ data }) => {
  const { id, kind } = data
  if (kind === "close") {
    wanted.delete(id)
    open.get(id)?.close()
    open.delete(id)
    return
  }
  wanted.add(id)
  const closeLate = () => { if (!wanted.has(id)) { open.get(id)?.close(); open.delete(id) } }
  acts[kind](data).then(closeLate, () => postMessage({ id }))
}
postMessage({ id: 0 })
`

interface Told {
  id: number
  bytes?: Uint8Array
}

/** Made before this process goes elsewhere; when it resolves, the thread is there. Throws when it cannot be made. */
export async function stayBehind(): Promise<StayBehind> {
  const url = URL.createObjectURL(new Blob([THREAD_SOURCE]))
  const worker = new Worker(url, { smol: true })
  const begun = Promise.withResolvers<void>()
  const exchanges = new Map<number, ExchangeHandlers>([[0, { received: () => {}, closed: begun.resolve }]])
  worker.addEventListener("message", ({ data: { id, bytes } }: MessageEvent<Told>) => {
    if (bytes === undefined) exchanges.get(id)?.closed()
    else exchanges.get(id)?.received(bytes)
  })
  worker.addEventListener("error", ({ message }) => {
    begun.reject(new Error(message))
    for (const { closed } of exchanges.values()) closed()
  })
  let last = 0
  try {
    await begun.promise
  } finally {
    URL.revokeObjectURL(url)
  }
  return {
    exchange(destination, bytes, handlers) {
      const id = ++last
      exchanges.set(id, handlers)
      worker.postMessage({ id, ...destination, bytes }, [])
      return {
        [Symbol.dispose]() {
          if (exchanges.delete(id)) worker.postMessage({ id, kind: "close" }, [])
        },
      }
    },
    [Symbol.dispose]: () => worker.terminate(),
  }
}
