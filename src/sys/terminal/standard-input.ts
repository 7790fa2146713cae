import { read } from "node:fs"

const CHUNK = 32 * 1024
const RETRY_MS = 10

/**
 * Standard input in pieces, by the descriptor: `process.stdin` costs 8 ms and would change the mode of a shared file.
 * A read that waits at the end of the process goes with it.
 */
export async function* standardInput(): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(CHUNK)
  for (;;) {
    const size = await readOnce(buffer)
    if (size === 0) return
    if (size > 0) yield buffer.slice(0, size)
    else await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
  }
}

/** Bytes read; 0 at the end; -1 when a non-blocking descriptor has nothing yet. */
function readOnce(buffer: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => {
    read(0, buffer, 0, buffer.length, null, (error, size) => {
      if (!error) return resolve(size)
      if (error.code === "EAGAIN") return resolve(-1)
      // a terminal that hung up, or a closed descriptor, is an end
      if (error.code === "EIO" || error.code === "EBADF") return resolve(0)
      reject(error)
    })
  })
}
