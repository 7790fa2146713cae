import type { ArchiveFiles } from "../../archive/archive.ts"
import { DataLoss } from "../../base/errors.ts"

/** A document of an archive, whole. Throws NotFound, or DataLoss when it has more than `maxBytes`. */
export async function readSmall(files: ArchiveFiles, name: string, maxBytes: number): Promise<Uint8Array> {
  const size = files.size(name)
  if (size > maxBytes) throw new DataLoss(`"${name}" of the archive has ${size} bytes, the limit is ${maxBytes}`)
  return Buffer.concat(await Array.fromAsync(files.read(name)))
}
