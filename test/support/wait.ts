import { createServer, type AddressInfo } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"

/** How many times slower than hardware this machine is: emulated ones say so. */
export const SLOWNESS = Number(process.env.SKIFF_TEST_SLOWNESS ?? 1)

/** Repeats until it neither throws nor gives false. The last failure is thrown when the time is up. */
export async function eventually<T>(attempt: () => T | Promise<T>, timeoutMs = 30_000): Promise<T> {
  const deadline = Date.now() + timeoutMs * SLOWNESS
  for (;;) {
    try {
      const value = await attempt()
      if (value !== false) return value
      throw new Error(`not so: ${attempt.toString()}`)
    } catch (error) {
      if (Date.now() > deadline) throw error
      await sleep(30)
    }
  }
}

/** A TCP port that nobody listens on at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
