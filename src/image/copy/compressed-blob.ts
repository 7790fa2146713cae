import { createHash, randomUUID } from "node:crypto"
import { unlinkSync } from "node:fs"
import { open } from "node:fs/promises"
import { join } from "node:path"
import { chunkLayer, compress, decompress } from "../../archive/archive.ts"
import { untilAborted } from "../../base/bytes.ts"
import { parseDigest } from "../../spec/digest.ts"
import { layerType } from "../layer-compressor.ts"
import type { LayerForm } from "../image.ts"
import type { TravellingBlob } from "./copy-target.ts"
import { checked } from "./directory-blobs.ts"

/** A form that changes no archive: nothing but the manifest is to be made anew. */
export interface CopyForm extends LayerForm {
  compression: "gzip" | "zstd" | "zstd:chunked"
}

/** The layer in another form, in a file below `scratch` that has no name: it goes with this process however that ends. */
export async function compressedBlob(
  { descriptor: blob, read }: TravellingBlob,
  { compression, level }: CopyForm,
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
  let annotations: Record<string, string> | undefined
  const plain = decompress(checked(read(0), blob))
  const bytes =
    compression === "zstd:chunked"
      ? chunkLayer(plain, compression, { level, onEnd: (made) => ({ annotations } = made) })
      : compress(plain, compression, level)
  for await (const chunk of untilAborted(bytes, signal)) {
    hash.update(chunk)
    await file.writeFile(chunk)
    size += chunk.length
  }
  const digest = parseDigest(`sha256:${hash.digest("hex")}`)
  const owned = undo.move()
  return {
    descriptor: {
      mediaType: layerType(blob.mediaType, compression),
      digest,
      size,
      ...(annotations === undefined ? {} : { annotations }),
    },
    read: (offset) => file.createReadStream({ start: offset, autoClose: false }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
