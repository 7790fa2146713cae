import { constants } from "node:fs"
import { open, type FileHandle } from "node:fs/promises"
import type { Bytes } from "./bytes.ts"

// open(2); node:fs does not know it. The bits of O_DIRECTORY are among them, and differ on arm64
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY

/** All of `bytes` in a file without a name in `directory`: it is gone when it is closed, or its process killed. */
export async function spool(bytes: Bytes, directory: string): Promise<{ file: FileHandle; sizeBytes: number }> {
  const file = await open(directory, O_TMPFILE | constants.O_RDWR, 0o600)
  try {
    let sizeBytes = 0
    for await (const chunk of bytes)
      for (let done = 0; done < chunk.length;) {
        const { bytesWritten } = await file.write(chunk, done, chunk.length - done, sizeBytes)
        done += bytesWritten
        sizeBytes += bytesWritten
      }
    return { file, sizeBytes }
  } catch (error) {
    await file.close()
    throw error
  }
}
