import { randomUUID } from "node:crypto"
import { unlinkSync } from "node:fs"
import { open, type FileHandle } from "node:fs/promises"
import { join } from "node:path"
import { decompress, detectCompression, indexArchive, openDirectory, type ArchiveFiles } from "../../archive/archive.ts"
import { hasErrno, InvalidArgument, isSkiffError, NotFound, Unavailable } from "../../base/errors.ts"
import { formatSize } from "../../base/sizes.ts"
import { untilAborted, type Bytes } from "../../base/bytes.ts"
import { download } from "../../sys/net/download.ts"
import type { LoadInput } from "../image.ts"

/** What a spooled archive may become: the caps of a layer hold for each of its layers besides. */
const MAX_BYTES = 256 * 2 ** 30
const EXPANSION_RATIO = 200
const EXPANSION_FREE_BYTES = 2 ** 30
const MAGIC_BYTES = 6

/**
 * The files of an archive or a directory of images. An uncompressed archive is read where it lies; another is decompressed into
 * a file below `scratch` that has no name any more, so that it goes with this process however that ends.
 */
export async function openInput(input: LoadInput, scratch: string, signal?: AbortSignal): Promise<ArchiveFiles> {
  if ("url" in input) return await indexArchive(await spool(download(input.url, { signal }), scratch, signal))
  if ("bytes" in input) return await indexArchive(await spool(input.bytes, scratch, signal))
  const file = await openPath(input.path)
  await using undo = new AsyncDisposableStack()
  undo.defer(() => file.close())
  const stat = await file.stat()
  if (stat.isDirectory()) return openDirectory(input.path)
  if (stat.isFile() && (await compressionOf(file)) === "none") {
    undo.move()
    return await named(input.path, indexArchive(file))
  }
  return await named(input.path, spool(file.createReadStream({ autoClose: false }), scratch, signal).then(indexArchive))
}

/** A mistake in the archive is told with its path: a command may have been given several. */
async function named<T>(path: string, archive: Promise<T>): Promise<T> {
  try {
    return await archive
  } catch (cause) {
    if (!isSkiffError(cause)) throw cause
    throw cause.restated(`cannot read "${path}": ${cause.message}`)
  }
}

async function openPath(path: string): Promise<FileHandle> {
  try {
    return await open(path, "r")
  } catch (cause) {
    if (hasErrno(cause, "ENOENT", "ENOTDIR"))
      throw new NotFound(`no such file: "${path}"`, {
        cause,
        hint: "check the path: it is read from the current directory",
      })
    throw new InvalidArgument(`cannot read "${path}"`, { cause })
  }
}

async function compressionOf(file: FileHandle): Promise<string> {
  const head = Buffer.alloc(MAGIC_BYTES)
  const { bytesRead } = await file.read(head, 0, MAGIC_BYTES, 0)
  return detectCompression(head.subarray(0, bytesRead))
}

async function spool(bytes: Bytes, scratch: string, signal: AbortSignal | undefined): Promise<FileHandle> {
  const path = join(scratch, `load-${randomUUID()}`)
  const file = await open(path, "wx+", 0o600)
  unlinkSync(path)
  await using undo = new AsyncDisposableStack()
  undo.defer(() => file.close())
  let [taken, written] = [0, 0]
  async function* counted(): Bytes {
    for await (const chunk of bytes) {
      taken += chunk.length
      yield chunk
    }
  }
  for await (const chunk of untilAborted(decompress(counted()), signal)) {
    if (written + chunk.length > Math.min(MAX_BYTES, Math.max(EXPANSION_FREE_BYTES, taken * EXPANSION_RATIO)))
      throw new InvalidArgument(`the archive grows from ${formatSize(taken)} to more than ${formatSize(written)}`, {
        hint: "an archive that expands this much is refused",
      })
    written += await writeWhole(file, chunk, written, scratch)
  }
  undo.move()
  return file
}

async function writeWhole(file: FileHandle, chunk: Uint8Array, at: number, scratch: string): Promise<number> {
  try {
    for (let done = 0; done < chunk.length;)
      done += (await file.write(chunk, done, chunk.length - done, at + done)).bytesWritten
    return chunk.length
  } catch (cause) {
    if (!hasErrno(cause, "ENOSPC", "EDQUOT")) throw cause
    throw new Unavailable(`no space left on the file system of "${scratch}"`, { cause, hint: { do: "freeSpace" } })
  }
}
