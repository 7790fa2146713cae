import { createHash, randomUUID } from "node:crypto"
import { unlinkSync } from "node:fs"
import { open } from "node:fs/promises"
import { join } from "node:path"
import { compress } from "../../archive/archive.ts"
import { untilAborted } from "../../base/bytes.ts"
import { parseDigest } from "../../spec/digest.ts"
import { MediaType } from "../../spec/oci-image.ts"
import type { TravellingBlob } from "./copy-target.ts"
import { checked } from "./directory-blobs.ts"

/** The layer compressed by gzip, in a file below `scratch` that has no name: it goes with this process however that ends. */
export async function compressedBlob(
  { descriptor: plain, read }: TravellingBlob,
  scratch: string,
  signal: AbortSignal | undefined,
): Promise<TravellingBlob & AsyncDisposable> {
  const path = join(scratch, `copy-${randomUUID()}`)
  const file = await open(path, "wx+", 0o600)
  unlinkSync(path)
  await using undo = new AsyncDisposableStack()
  undo.defer(() => file.close())
  const hash = createHash("sha256")
  let size = 0
  for await (const chunk of untilAborted(compress(checked(read(0), plain), "gzip"), signal)) {
    hash.update(chunk)
    await file.writeFile(chunk)
    size += chunk.length
  }
  const digest = parseDigest(`sha256:${hash.digest("hex")}`)
  const isDocker = plain.mediaType === MediaType.dockerLayer
  const mediaType = isDocker ? MediaType.dockerLayerGzip : MediaType.ociLayerGzip
  const owned = undo.move()
  return {
    descriptor: { mediaType, digest, size },
    read: (offset) => file.createReadStream({ start: offset, autoClose: false }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
