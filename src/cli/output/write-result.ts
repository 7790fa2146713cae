import { randomUUID } from "node:crypto"
import { renameSync, statSync, unlinkSync } from "node:fs"
import { open, type FileHandle } from "node:fs/promises"
import { InvalidArgument } from "../../base/errors.ts"
import type { Bytes } from "../../base/bytes.ts"
import type { Out } from "../out.ts"
import { writeOutput } from "../terminal/standard-output.ts"

/**
 * Writes a stream of bytes to the file at `path`, which is there whole or not at all; undefined or `-`: to standard output,
 * unless that is a terminal. Throws InvalidArgument with docker's words for one.
 */
export async function writeResult(verb: string, path: string | undefined, bytes: Bytes, out: Out): Promise<void> {
  if (path === undefined || path === "-") {
    if (out.stdoutIsTerminal)
      throw new InvalidArgument(`cowardly refusing to ${verb} to a terminal`, { hint: "use the -o flag or redirect" })
    for await (const chunk of bytes) await writeOutput(1, chunk)
    return
  }
  // a pipe or a device is written to as it is
  const isSpecial = statSync(path, { throwIfNoEntry: false })?.isFile() === false
  const aside = isSpecial ? path : `${path}.tmp-${randomUUID()}`
  await using file = await open(aside, isSpecial ? "w" : "wx", 0o600)
  try {
    for await (const chunk of bytes) await writeWhole(file, chunk)
    if (!isSpecial) renameSync(aside, path)
  } catch (error) {
    if (!isSpecial) unlinkSync(aside)
    throw error
  }
}

async function writeWhole(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.length;) done += (await file.write(chunk, done, chunk.length - done)).bytesWritten
}
