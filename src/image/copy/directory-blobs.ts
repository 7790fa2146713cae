import { createHash } from "node:crypto"
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs"
import { open } from "node:fs/promises"
import { dirname } from "node:path"
import type { Bytes } from "../../base/bytes.ts"
import { DataLoss, hasErrno, Unavailable } from "../../base/errors.ts"
import { digestAlgorithm } from "../../spec/digest.ts"
import type { Descriptor } from "../../spec/oci-image.ts"
import type { TravellingBlob } from "./copy-target.ts"

/** Stores the blob as this file, unless it is there; what was cut off is under no name that anybody reads. */
export async function writeBlob(path: string, { descriptor, read }: TravellingBlob): Promise<boolean> {
  if (existsSync(path) && statSync(path).size === descriptor.size) return false
  mkdirSync(dirname(path), { recursive: true })
  await writeAside(path, checked(read(0), descriptor))
  return true
}

/** Writes the file under another name, and gives it its own once it is whole. */
export async function writeAside(path: string, bytes: Bytes): Promise<void> {
  const aside = `${path}.tmp-${process.pid}`
  try {
    await using file = await open(aside, "w", 0o644)
    for await (const chunk of bytes) await file.writeFile(chunk)
    renameSync(aside, path)
  } catch (cause) {
    rmSync(aside, { force: true })
    if (!hasErrno(cause, "ENOSPC", "EDQUOT")) throw cause
    throw new Unavailable(`no space left on the file system of "${path}"`, { cause, hint: { do: "freeSpace" } })
  }
}

/** The bytes; throws DataLoss at the end of others than the descriptor says, and before more of them are given. */
export async function* checked(bytes: Bytes, { digest, size }: Descriptor): Bytes {
  const algorithm = digestAlgorithm(digest)
  const hash = createHash(algorithm)
  let length = 0
  for await (const chunk of bytes) {
    length += chunk.length
    if (length > size) throw new DataLoss(`blob ${digest} has more than the ${size} bytes that its manifest says`)
    hash.update(chunk)
    yield chunk
  }
  if (length !== size) throw new DataLoss(`blob ${digest} has ${length} bytes, its manifest says ${size}`)
  const found = `${algorithm}:${hash.digest("hex")}`
  if (found !== digest) throw new DataLoss(`the bytes of ${digest} have digest ${found}`)
}
