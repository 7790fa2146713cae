/** Connections of pods to a socket of the host's side, for who serves them there: an ordinary user's pods are in a network of their own. */
import { connect, createServer, type Socket } from "node:net"
import { close, pipe } from "../sys/libc.ts"
import { enterNetns } from "../sys/net/netns.ts"
import { spawnProcess } from "../sys/process/process.ts"

/** What is listened on where pods are, and whom it leads to. */
export interface RelayRequest {
  port: number
  /** Path. */
  socket: string
}

const SIGTERM = 15
const MOST_CONNECTIONS = 1000

/** Starts the process that relays; it ends with us, however that is. */
export function startRelay(command: readonly string[]): Disposable {
  const { readEnd, writeEnd } = pipe()
  try {
    const child = spawnProcess(command, { cwd: "/", stdio: [readEnd, "ignore", "ignore"] })
    child.unref()
    return {
      [Symbol.dispose]() {
        close(writeEnd)
        child.kill(SIGTERM)
      },
    }
  } finally {
    close(readEnd)
  }
}

/** Relays until standard input ends. This process is in the namespace of the pods from then on. */
export async function relay(netns: string, { port, socket }: RelayRequest): Promise<void> {
  enterNetns(netns)
  const server = createServer({ allowHalfOpen: true }, (from) =>
    join(from, connect({ path: socket, allowHalfOpen: true })),
  )
  server.maxConnections = MOST_CONNECTIONS
  const ended = new Promise<void>((resolve) => {
    process.stdin.once("end", resolve)
    process.stdin.once("close", resolve)
    process.stdin.resume()
  })
  // all addresses of that namespace: it is nobody's but the pods', and the bridge of theirs comes with the first of them
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(port, "0.0.0.0", () => resolve())
  })
  await ended
  server.close()
}

function join(one: Socket, other: Socket): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.pipe(to)
    from.on("error", () => to.destroy())
    from.on("close", () => to.destroy())
  }
}
