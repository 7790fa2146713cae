import { closeSync, fstatSync, readFileSync, readSync } from "node:fs"
import { TarReader } from "../archive/tar-reader.ts"
import { atomicWrite } from "../base/atomic-write.ts"
import { DataLoss, InvalidArgument, NotFound, Unsupported } from "../base/errors.ts"
import { limiter } from "../base/limiter.ts"
import { shownPath } from "../sbom/sbom.ts"
import { shortDigest } from "../spec/digest.ts"
import { formatPlatform } from "../spec/platform.ts"
import type { ExploreDeps } from "./deps.ts"
import type {
  CompareRange,
  ContentMatch,
  Duplicate,
  ExploredImage,
  ExploredLayer,
  ExploredTree,
  Extracted,
  ExtractOptions,
  Figures,
  FilePart,
  FoundFile,
  ImageDifference,
  LayerEntry,
  LayerPackages,
  OpenOptions,
  PathStep,
  ReadOptions,
  SearchOptions,
} from "./explore.ts"
import { figuresOf } from "./figures/efficiency.ts"
import { pathHistory } from "./history.ts"
import { cleanPath } from "./index/clean-path.ts"
import type { LayerIndex, LayerRecord } from "./index/layer-index.ts"
import { openIndex } from "./index/open-index.ts"
import { PageCache } from "./index/page-cache.ts"
import { describeLayers } from "./layers.ts"
import type { ImageSourceOpened, SourceLayer } from "./source/source.ts"
import { LayerTree } from "./stack/layer-tree.ts"

const MAX_PART_BYTES = 16 * 2 ** 20
const CHUNK_BYTES = 1 << 18
const MAX_LINKS = 40
const FIGURES_VERSION = 1
/** More are counted anew each time rather than kept. */
const MAX_KEPT_INEFFICIENCIES = 100_000
/** Reading is a processor's work: beside each other only two layers are. */
const PARALLEL_LAYERS = 2

/** Opens what a source has; takes it over. Makes what indexes are missing. */
export async function openImage(
  deps: ExploreDeps,
  source: ImageSourceOpened,
  { onProgress, signal }: OpenOptions,
): Promise<OpenedImage> {
  await using undo = new AsyncDisposableStack()
  undo.use(source)
  const pages = new PageCache()
  const notes: string[] = []
  const limit = limiter(PARALLEL_LAYERS)
  const stop = new AbortController()
  const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal])
  const opened = await Promise.allSettled(
    source.layers.map((layer, at) =>
      limit(async () => {
        either.throwIfAborted()
        const id = shortDigest(layer.diffId)
        let current = 0
        const index = await openIndex(layer, {
          scratch: deps.scratch,
          pages,
          called: `layer ${at + 1} (${id})`,
          onNote(note) {
            if (!notes.includes(note)) notes.push(note)
          },
          onBytes(bytes) {
            current += bytes
            onProgress?.({ id, stage: "indexing", current })
          },
          signal: either,
        }).catch((error: unknown) => {
          stop.abort(error)
          throw error
        })
        if (current > 0) onProgress?.({ id, stage: "indexed" })
        return index
      }),
    ),
  )
  const indexes: LayerIndex[] = []
  let failure: PromiseRejectedResult | undefined
  for (const one of opened) {
    if (one.status === "rejected") failure ??= one
    else indexes.push(undo.use(one.value))
  }
  if (failure !== undefined) throw stop.signal.aborted ? stop.signal.reason : failure.reason
  const image = new OpenedImage(source, indexes, notes, undo.move())
  return image
}

/** See `ExploredImage`. */
export class OpenedImage implements ExploredImage {
  readonly name: string
  readonly tags: readonly string[]
  readonly id: ExploredImage["id"]
  readonly platform: string
  readonly layers: readonly ExploredLayer[]
  readonly notes: readonly string[]
  readonly #source: ImageSourceOpened
  readonly #indexes: readonly LayerIndex[]
  readonly #opened: AsyncDisposableStack
  #figures: Figures | undefined

  constructor(
    source: ImageSourceOpened,
    indexes: readonly LayerIndex[],
    notes: readonly string[],
    opened: AsyncDisposableStack,
  ) {
    this.#source = source
    this.#indexes = indexes
    this.#opened = opened
    this.name = source.name
    this.tags = source.tags
    this.id = source.id
    const { os, architecture, variant } = source.config
    this.platform = formatPlatform({ os, architecture, ...(variant !== undefined && { variant }) })
    this.layers = describeLayers(source, indexes)
    this.notes = notes
  }

  async figures({ signal }: { signal?: AbortSignal | undefined } = {}): Promise<Figures> {
    if (this.#figures !== undefined) return this.#figures
    const { figuresPath } = this.#source
    const kept = figuresPath === undefined ? undefined : readKept(figuresPath)
    const figures = kept ?? (await figuresOf(this.#indexes, signal))
    if (kept === undefined && figuresPath !== undefined && figures.inefficiencies.length <= MAX_KEPT_INEFFICIENCIES)
      atomicWrite(figuresPath, JSON.stringify({ version: FIGURES_VERSION, ...figures }))
    return (this.#figures = figures)
  }

  async largest(limit: number, { signal }: { signal?: AbortSignal | undefined } = {}): Promise<readonly FoundFile[]> {
    const { largestFiles } = await import("./contents.ts")
    return await largestFiles(this.#indexes, limit, signal)
  }

  async duplicates(
    limit: number,
    { signal }: { signal?: AbortSignal | undefined } = {},
  ): Promise<readonly Duplicate[]> {
    const { duplicateContents } = await import("./contents.ts")
    return await duplicateContents(this.#indexes, limit, signal)
  }

  async *diveDocument({ signal }: { signal?: AbortSignal | undefined } = {}): AsyncGenerator<string> {
    const { diveDocument } = await import("./figures/dive-document.ts")
    yield* diveDocument(this.layers, this.#indexes, await this.figures({ signal }), signal)
  }

  tree(range: CompareRange): ExploredTree {
    return new LayerTree(this.#indexes, range)
  }

  entry(layer: number, path: string): LayerEntry | undefined {
    const record = this.#find(layer, path)
    return record === undefined || record.isWhiteout ? undefined : this.#index(layer).entry(record.at)
  }

  async read(layer: number, path: string, options: ReadOptions = {}): Promise<FilePart> {
    const { offset = 0, length = MAX_PART_BYTES, signal } = options
    const wanted = Math.min(length, MAX_PART_BYTES)
    const { entry } = this.#file(layer, path)
    const size = Math.max(0, Math.min(wanted, entry.sizeBytes - offset))
    const bytes = Buffer.alloc(size)
    let at = 0
    for await (const chunk of this.#bytes(layer, path, offset, signal)) {
      if (at >= size) break
      bytes.set(chunk.subarray(0, size - at), at)
      at += Math.min(chunk.length, size - at)
    }
    return { bytes: bytes.subarray(0, at), sizeBytes: entry.sizeBytes }
  }

  stream(
    layer: number,
    path: string,
    { signal }: { signal?: AbortSignal | undefined } = {},
  ): AsyncIterable<Uint8Array> {
    return this.#bytes(layer, path, 0, signal)
  }

  async packages(): Promise<readonly LayerPackages[]> {
    if (this.#source.layers.length > 0 && this.#source.layers.every(({ directory }) => directory === undefined))
      throw new Unsupported(
        `the packages of each layer are read of images of this store, and "${this.name}" is elsewhere`,
        {
          hint: "bring it here first: pull or load it",
        },
      )
    const { packagesOf } = await import("./packages.ts")
    return packagesOf(this.#source.layers)
  }

  /** For what looks at several images. */
  get indexes(): readonly LayerIndex[] {
    return this.#indexes
  }

  history(path: string): PathStep[] {
    return pathHistory(this, path)
  }

  async *search(text: string, options?: SearchOptions): AsyncGenerator<ContentMatch> {
    const { searchContents } = await import("./search.ts")
    yield* searchContents(this, text, options)
  }

  async *compare(
    other: ExploredImage,
    options?: { signal?: AbortSignal | undefined },
  ): AsyncGenerator<ImageDifference> {
    const { compareImages } = await import("./compare.ts")
    yield* compareImages(this, other, options)
  }

  async extract(path: string, directory: string, options?: ExtractOptions): Promise<Extracted> {
    const { extractPath } = await import("./extract.ts")
    return await extractPath(this, path, directory, options)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#opened.disposeAsync()
  }

  async *#bytes(layer: number, path: string, offset: number, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const file = this.#file(layer, path)
    const source = this.#source.layers[layer]
    if (source === undefined) throw this.#noLayer(layer)
    if (offset >= file.entry.sizeBytes) return
    const fd = source.openFile?.(file.path)
    if (fd !== undefined) yield* ofDescriptor(fd, offset, signal)
    else if (source.openFile !== undefined)
      throw new DataLoss(`${shownPath(path)} of layer ${layer + 1} is not in the store any more`)
    else yield* ofArchive(source, file, offset, signal)
  }

  /** The file at a path, of a hard link the one that it is a name of. Throws NotFound, InvalidArgument. */
  #file(layer: number, path: string): ReadFile {
    let at = path
    for (let links = 0; links < MAX_LINKS; links++) {
      const record = this.#find(layer, at)
      if (record === undefined || record.isWhiteout)
        throw new NotFound(`${shownPath(path)} is not in layer ${layer + 1} of "${this.name}"`)
      const index = this.#index(layer)
      const entry = index.entry(record.at)
      if (entry.type === "file") return { path: at, entry, dataOffset: index.dataOffset(record.at) }
      if (entry.type !== "hardlink")
        throw new InvalidArgument(`${shownPath(path)} is a ${entry.type}, which has no contents`, {
          ...(entry.type === "symlink" && {
            hint: `it leads to ${shownPath(entry.linkTarget).replace(/^\/(?=\/)/, "")}`,
          }),
        })
      at = cleanPath(entry.linkTarget).replace(/^\/+/, "")
    }
    throw new InvalidArgument(`${shownPath(path)} is a hard link that leads in a circle`)
  }

  #find(layer: number, path: string): LayerRecord | undefined {
    const index = this.#index(layer)
    let record: LayerRecord | undefined = index.root
    for (const name of path === "" ? [] : path.split("/")) {
      record = record === undefined ? undefined : index.find(record, name)
    }
    return record
  }

  #index(layer: number): LayerIndex {
    const index = this.#indexes[layer]
    if (index === undefined) throw this.#noLayer(layer)
    return index
  }

  #noLayer(layer: number): InvalidArgument {
    return new InvalidArgument(`"${this.name}" has no layer ${layer + 1}: it has ${this.layers.length}`)
  }
}

interface ReadFile {
  path: string
  entry: LayerEntry
  dataOffset: number | undefined
}

async function* ofDescriptor(fd: number, offset: number, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    if (!fstatSync(fd).isFile()) throw new InvalidArgument("what is there is no file any more")
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
    for (let at = offset; ;) {
      signal?.throwIfAborted()
      const count = readSync(fd, chunk, 0, chunk.length, at)
      if (count === 0) return
      yield chunk.subarray(0, count)
      at += count
    }
  } finally {
    closeSync(fd)
  }
}

/** What lies in one piece is cut out of the archive; what is sparse is put together, and what a table named is looked for. */
async function* ofArchive(
  source: SourceLayer,
  { path, entry, dataOffset }: ReadFile,
  offset: number,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  if (dataOffset === undefined) return yield* ofPieces(source, { path, isSparse: entry.isSparse }, offset, signal)
  const from = dataOffset + offset
  const near = await source.tarFrom?.(from)
  let skip = near === undefined ? from : 0
  let left = entry.sizeBytes - offset
  for await (const chunk of near ?? source.tar(signal)) {
    signal?.throwIfAborted()
    const piece = chunk.subarray(skip, skip + left)
    skip = Math.max(0, skip - chunk.length)
    left -= piece.length
    if (piece.length > 0) yield piece
    if (left === 0) return
  }
  throw new DataLoss(`the layer ends within ${shownPath(path)}`)
}

const MAX_SPARSE_BYTES = 2 ** 30
const ZEROS = new Uint8Array(CHUNK_BYTES)

async function* ofPieces(
  source: SourceLayer,
  { path, isSparse }: { path: string; isSparse: boolean },
  offset: number,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const pieces: Uint8Array[] = []
  let [isWanted, position, isDone, sizeBytes] = [false, 0, false, 0]
  const hole = (bytes: number): void => {
    if (position + bytes > MAX_SPARSE_BYTES)
      throw new InvalidArgument(
        `${shownPath(path)} is sparse and has more than 1 GiB: it is read only where it lies unpacked`,
      )
    for (let left = bytes; left > 0; left -= ZEROS.length) pieces.push(ZEROS.subarray(0, Math.min(left, ZEROS.length)))
    position += bytes
  }
  const reader = new TarReader({
    entry(entry) {
      isWanted = cleanPath(entry.name).replace(/^\//, "") === path && (entry.isSparse || !isSparse)
      if (isWanted) [position, sizeBytes] = [0, entry.sizeBytes]
    },
    data(bytes, at) {
      if (!isWanted) return
      if (at > position) hole(at - position)
      pieces.push(Uint8Array.from(bytes))
      position += bytes.length
    },
    end() {
      if (!isWanted) return
      if (sizeBytes > position) hole(sizeBytes - position)
      isDone = true
      isWanted = false
    },
  })
  let skip = offset
  for await (const chunk of source.tar(signal)) {
    signal?.throwIfAborted()
    reader.write(chunk)
    for (const piece of pieces.splice(0)) {
      if (skip < piece.length) yield piece.subarray(skip)
      skip = Math.max(0, skip - piece.length)
    }
    if (isDone) return
  }
}

function readKept(path: string): Figures | undefined {
  try {
    const { version, ...figures } = JSON.parse(readFileSync(path, "utf8")) as Figures & { version: number }
    if (version !== FIGURES_VERSION) return undefined
    // JSON has neither of 0/0 and x/0
    return { ...figures, wastedUserPercent: figures.wastedBytes / figures.userBytes }
  } catch {
    return undefined // there is none, or a part of one
  }
}
