import { createHash } from "node:crypto"
import { unlinkSync } from "node:fs"
import { Cancelled, hasErrno, Unavailable } from "../base/errors.ts"
import { inSlices, TimeSlice } from "../base/time-slice.ts"
import type { Bytes } from "../base/bytes.ts"
import { parseDigest, type DiffId } from "../spec/digest.ts"
import { decompressBounded, EXPANSION_LIMITS, type ExpansionLimits } from "./bounded-decompress.ts"
import { LayerExtractor, type ExtractorLimits } from "./layer-extractor.ts"
import { TarReader } from "./tar-reader.ts"
import { TarSplitWriter } from "./tar-split.ts"

/** What a layer may grow to. */
export interface LayerLimits extends ExtractorLimits, ExpansionLimits {}

/** Of a chunk, written without a look at the time. */
const PIECE_BYTES = 128 * 1024

/** The limits where none are given. */
export const LAYER_LIMITS: LayerLimits = {
  totalBytes: 256 * 2 ** 30,
  entries: 1_000_000,
  ...EXPANSION_LIMITS,
}

/** How a layer is extracted. */
export interface ApplyLayerOptions {
  /** Inside a user namespace: overlay's attributes are in the `user.` space there. */
  rootless?: boolean
  limits?: Partial<LayerLimits>
  /** Not a layer but any archive (ADD): no name is a whiteout. */
  plain?: boolean
  /** As `ExtractorOptions` says. */
  below?: string
  keepsKinds?: boolean
  exact?: { devices: boolean }
  /** Of all entries, in place of their own. */
  owner?: { uid: number; gid: number }
  signal?: AbortSignal | undefined
  /** Uncompressed bytes taken so far. */
  onProgress?: (bytes: number) => void
  /** A host path for the tar-split of the layer, which with the files gives it again (`joinTarSplit`). Nothing may be there. */
  tarSplit?: string
}

/** What was extracted. */
export interface AppliedLayer {
  /** Of the uncompressed tar, whole. */
  diffId: DiffId
  /** Of all files' content. */
  sizeBytes: number
  entries: number
  /** Of the uncompressed tar. */
  tarBytes: number
  /** Whether the tar-split that was asked for is there. Not of sparse files, nor where a later entry replaces a file. */
  isSplit: boolean
}

/**
 * Extracts a layer (tar; gzip, zstd, xz, bzip2 or plain) into the empty directory `target`.
 *
 * Throws DataLoss (truncated, damaged), InvalidArgument (hostile names, beyond the limits), FailedPrecondition (an owner
 * outside the user's ids), Unavailable (disk full), Cancelled. The directory is then half filled: remove it.
 */
export async function applyLayer(
  compressed: Bytes,
  target: string,
  options: ApplyLayerOptions = {},
): Promise<AppliedLayer> {
  const limits = { ...LAYER_LIMITS, ...options.limits }
  const { rootless = false, plain, below, keepsKinds, exact, owner } = options
  using split = options.tarSplit === undefined ? undefined : new TarSplitWriter(options.tarSplit)
  using extractor = new LayerExtractor(target, { rootless, limits, plain, below, keepsKinds, exact, owner, split })
  const reader = new TarReader(extractor)
  const hash = createHash("sha256")
  let output = 0
  const slice = new TimeSlice(options.signal)
  try {
    for await (const chunk of decompressBounded(compressed, "layer", limits)) {
      if (options.signal?.aborted) throw new Cancelled("the extraction was cancelled", { cause: options.signal.reason })
      output += chunk.length
      hash.update(chunk)
      // a chunk may hold thousands of small files
      for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
        reader.write(chunk.subarray(at, at + PIECE_BYTES))
        if (slice.isOver) await slice.giveWay()
      }
      options.onProgress?.(output)
    }
    reader.finish()
    await inSlices(extractor.finish(), options.signal)
    split?.finish()
    if (options.tarSplit !== undefined && !extractor.isSplit) unlinkSync(options.tarSplit)
  } catch (error) {
    throw diskFull(error, target)
  }
  const diffId = parseDigest(`sha256:${hash.digest("hex")}`) as DiffId
  const { sizeBytes, entries, isSplit } = extractor
  return { diffId, sizeBytes, entries, tarBytes: output, isSplit }
}

function diskFull(error: unknown, target: string): unknown {
  if (!hasErrno(error, "ENOSPC", "EDQUOT")) return error
  return new Unavailable(`no space left on the file system of "${target}"`, {
    hint: { do: "freeSpace" },
    cause: error,
  })
}
