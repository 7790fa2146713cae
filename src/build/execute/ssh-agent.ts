import { createConnection, createServer } from "node:net"

/**
 * A socket at `path` that leads to the agent at `socket`, so that the step's user may have it without the agent's own being
 * opened to others. Disposing cuts all connections.
 */
export async function forwardAgent(path: string, socket: string): Promise<AsyncDisposable> {
  const open = new Set<{ destroy(): void }>()
  const server = createServer((client) => {
    const agent = createConnection(socket)
    for (const [end, other] of [
      [client, agent],
      [agent, client],
    ] as const) {
      open.add(end)
      end.on("error", () => other.destroy())
      end.on("close", () => {
        open.delete(end)
        other.destroy()
      })
      end.pipe(other)
    }
  })
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(path, resolve)
  })
  return {
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const end of open) end.destroy()
      await closed
    },
  }
}
