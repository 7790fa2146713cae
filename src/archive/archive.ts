/**
 * Layers as tar archives.
 *
 * `applyLayer` is one pass from compressed bytes to an extracted directory. Whoever made the layer is not trusted: names lead
 * nowhere but below the directory, device nodes are not made, sizes have caps, and attributes that would steer an overlay mount
 * are dropped. Whiteouts become overlay's form (a character device 0:0, the attribute `overlay.opaque`), which every
 * snapshot driver understands.
 */
export { indexArchive, type ArchiveFiles, type IndexedArchive } from "./archive-files.ts"
export { openDirectory } from "./directory-files.ts"
export { applyLayer, LAYER_LIMITS, type AppliedLayer, type ApplyLayerOptions, type LayerLimits } from "./apply-layer.ts"
export { isTarHead } from "./tar-reader.ts"
export { decompressBounded } from "./bounded-decompress.ts"
export { compress, decompress, detectCompression, inflate, type Compression } from "./compression.ts"
export { layerTar } from "./layer-tar.ts"
export { treeTar, type TreeTarOptions } from "./tree-tar.ts"
export { treeChanges, type TreeChangesOptions, type TreeForm } from "./tree-changes.ts"
export { encodeTarHeader, TAR_END_BYTES, tarPadding, type NewTarEntry } from "./tar-writer.ts"
export { joinTarSplit, listTarSplit } from "./tar-split.ts"
export { joinStorageSplit, storageSplitBytes } from "./storage-split.ts"
export { isSameContent } from "./same-file.ts"
export { chunkLayer, type ChunkedFormat, type ChunkedMade } from "./chunked/chunk-layer.ts"
export { chunkedLayer, type ChunkedLayer } from "./chunked/positions.ts"
export { chunkedFiles, chunkedParts, unpack, type ByteSpan, type ChunkedParts } from "./chunked/chunked-parts.ts"
export type { ListedFile } from "./chunked/toc-files.ts"
export type { ChunkedContent } from "./chunked/toc-reader.ts"
