import { write } from "node:fs"
import { OutputClosed } from "../out.ts"

const RETRY_MS = 2

/** Writes a program's output whole, without blocking this process: signals are still heard while a pipe is full. */
export async function writeOutput(fd: 1 | 2, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.length;) {
    const size = await writeOnce(fd, chunk, done)
    if (size < 0) await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    else done += size
  }
}

function writeOnce(fd: number, chunk: Uint8Array, offset: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(fd, chunk, offset, chunk.length - offset, null, (error, size) => {
      if (!error) return resolve(size)
      if (error.code === "EAGAIN") return resolve(-1)
      reject(error.code === "EPIPE" || error.code === "EIO" || error.code === "EBADF" ? new OutputClosed() : error)
    })
  })
}
