import { randomUUID } from "node:crypto"
import { renameSync, rmSync } from "node:fs"
import { open } from "node:fs/promises"
import type { Bytes } from "../../base/bytes.ts"

/** Writes the file at `path`, for its owner alone; it is there whole or not at all. */
export async function atomicWriteStream(path: string, bytes: Bytes): Promise<void> {
  const aside = `${path}.tmp-${randomUUID()}`
  try {
    await using file = await open(aside, "wx", 0o600)
    for await (const chunk of bytes)
      for (let done = 0; done < chunk.length;) done += (await file.write(chunk, done, chunk.length - done)).bytesWritten
    renameSync(aside, path)
  } catch (error) {
    rmSync(aside, { force: true })
    throw error
  }
}
