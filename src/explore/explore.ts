/**
 * What the layers of an image hold, who brought it and what it cost: layer trees, what each changes, wasted space.
 *
 *   place ─▶ source/ (documents, each layer's tar) ─▶ index/ (one file a layer) ─▶ stack/ (one layer over the other) ─▶ trees
 *                                                                          ├──▶ figures/ (dive's, CI rules, documents)
 *                                                                          └──▶ report/ (text, Markdown, HTML)
 *
 * An image opens from the indexes of its layers, of which only what is asked for is read: a directory costs its own entries, whatever the
 * image holds. A layer that has no index gets one when it is first opened: of the store's layers it is kept beside the layer's files, and goes
 * with them; of others it lives as long as the image is open. Trees and nodes are synchronous; what has to read contents is not.
 *
 * Names, links and contents are hostile. Paths and names are raw (one char a byte, sys/fs/raw-name.ts), relative to the root and without a
 * slash at either end, "" for the root; show them by `shownPath`. Nothing is read through a link.
 */
import type { Expression } from "../base/linear-expression.ts"
import type { OnProgress } from "../base/progress.ts"
import type { RegistryAccess } from "../registry/registry.ts"
import type { Digest, DiffId } from "../spec/digest.ts"
import type { Platform } from "../spec/platform.ts"
import type { Figures } from "./figures/figures.ts"

export type { Figures, Inefficiency } from "./figures/figures.ts"
export { checkRules, DEFAULT_RULES, RULES, type RuleName, type RuleResult, type RuleValues } from "./figures/rules.ts"

export { textDiff } from "./text-diff.ts"

/** What an entry is. A hard link is one more name of a file that its layer has under another. */
export type EntryType = "file" | "directory" | "symlink" | "hardlink" | "fifo" | "character" | "block"

/** One name in a layer, as the layer has it. */
export interface LayerEntry {
  type: EntryType
  /** Permission bits, set-id and sticky bits included. */
  mode: number
  uid: number
  gid: number
  /** Of a file, holes counted; 0 of all else. */
  sizeBytes: number
  /** Seconds since 1970. */
  mtime: number
  /** Where a link leads, raw; else "". */
  linkTarget: string
  /** SHA-256 of a file's contents, in hex; of a hard link that of its file; undefined of all else. */
  contentDigest?: string
  /** Extended attributes by name, as people read them: capabilities in words, text as text, all else in hex. */
  attributes: Readonly<Record<string, string>>
  /** Of a device. */
  device?: { major: number; minor: number }
  isSparse: boolean
  /** A directory that hides all that lower layers have in it. */
  isOpaque: boolean
  /** The layer has files below this directory, and no entry of its own for it: mode and owner are 0. */
  isImplied: boolean
}

/** One layer of an explored image. */
export interface ExploredLayer {
  /** From 0, lowest first. */
  index: number
  /** As its archive calls it, else the hex of its digest. */
  id: string
  diffId: DiffId
  /** Of the blob, where that is known. */
  digest?: Digest
  /** As dive counts: the sizes of all entries together. */
  sizeBytes: number
  /** Entries, whiteouts counted. */
  entries: number
  /** What made it, from the history, without `/bin/sh -c `; "(missing)" where there is none. */
  command: string
  /** History's words, unchanged. */
  createdBy: string
  createdAt?: Date
  comment: string
  /** Where our own builder knows it. */
  dockerfileLine?: DockerfileLine
}

/** The instruction that made a layer. */
export interface DockerfileLine {
  /** As the build called the file. */
  file: string
  /** From 1. */
  line: number
  text: string
}

/** How a node differs. A directory is modified when something in it differs, or it itself. */
export type Change = "added" | "modified" | "removed" | "unmodified"

/**
 * Which layers a tree shows, and which of them are looked at as changes: those from `since` to `upTo`, on those below.
 * dive's "layer changes" of layer n is `{ since: n, upTo: n }`, its "aggregated changes" `{ since: 1, upTo: n }`. With `since: 0` nothing is
 * below: everything is added. `alone`: nothing of lower layers is shown, and whiteouts are shown as what they remove.
 */
export interface CompareRange {
  since: number
  upTo: number
  alone?: boolean
}

/** One name in a tree. Removed nodes are there, with what they were. */
export interface TreeNode {
  /** Raw, relative to the root. */
  readonly path: string
  /** Raw: the last part of the path. */
  readonly name: string
  /** What is seen, or, of a removed one, was. */
  readonly entry: LayerEntry
  /** The layer that has this entry; of a removed one that which removed it. */
  readonly layer: number
  readonly isDirectory: boolean
  /** Whether `children` would give any. */
  readonly hasChildren: boolean
  /** Computed when it is asked for: of a directory it may look at all that is in it, once. */
  readonly change: Change
  /** Of a directory the sum of what is in it, removed files left out unless it is removed itself. Computed when it is asked for. */
  readonly sizeBytes: number
}

/** What is searched in a tree. */
export interface MatchOptions {
  /** Undefined: 10,000. */
  limit?: number
  signal?: AbortSignal | undefined
}

/** The files of some layers, one over the other, with what changed: read directory by directory. */
export interface ExploredTree {
  readonly range: CompareRange
  /** Undefined when there is none. */
  node(path: string): TreeNode | undefined
  /** In the order of the names' bytes; none when it is no directory. */
  children(path: string): TreeNode[]
  /**
   * Those whose absolute path, as `shownPath` shows it, the expression finds (names are hostile: a linear one, without a memory): in the order of the tree, at most `limit`. It gives way to
   * other events. Throws the signal's reason.
   */
  matches(expression: Pick<Expression, "test">, options?: MatchOptions): AsyncIterable<TreeNode>
  /** Everything below a path, in the order of the tree, parents first. It gives way to other events. */
  walk(path?: string, options?: { signal?: AbortSignal | undefined }): AsyncIterable<TreeNode>
}

/** A file in a layer. */
export interface FoundFile {
  layer: number
  /** Raw, relative to the root. */
  path: string
  sizeBytes: number
}

/** One content that is there more than once. */
export interface Duplicate {
  /** SHA-256, in hex. */
  contentDigest: string
  /** Of one of them. */
  sizeBytes: number
  count: number
  /** The first of them, at most 10. */
  files: readonly FoundFile[]
}

/** A part of a file. */
export interface FilePart {
  bytes: Uint8Array
  /** Of the whole file. */
  sizeBytes: number
}

/** Which part of a file is read. */
export interface ReadOptions {
  /** Default 0. */
  offset?: number
  /** Default and at most 16 MiB. */
  length?: number
  signal?: AbortSignal | undefined
}

/** What one layer does to a path. */
export interface PathStep {
  layer: number
  /** `same`: the layer has it again, as it was. */
  change: "added" | "modified" | "removed" | "same"
  /** Undefined where it is removed. */
  entry?: LayerEntry
}

/** Where contents are searched. */
export interface SearchOptions {
  /** Of this layer alone, also what later ones hide; undefined: what a container sees. */
  layer?: number
  /** Undefined: 1,000 matches. */
  limit?: number
  /** Hears of files that are too large to be looked into, by their raw paths. */
  onSkipped?(path: string): void
  signal?: AbortSignal | undefined
}

/** A place where a text stands. */
export interface ContentMatch {
  layer: number
  /** Raw, relative to the root. */
  path: string
  /** Of a text: from 1, and what stands around the match in that line, which is hostile. */
  line?: number
  text?: string
  /** Of what is no text: the first place. */
  offset?: number
}

/** How two images differ in one path. */
export interface ImageDifference {
  /** Raw, relative to the root. */
  path: string
  change: "added" | "modified" | "removed"
  isDirectory: boolean
  /** 0 where it is not. */
  beforeBytes: number
  afterBytes: number
}

/** What is extracted. */
export interface ExtractOptions {
  /** As layers up to this one have it; undefined: as a container sees it. */
  layer?: number
  signal?: AbortSignal | undefined
}

/** What was written. */
export interface Extracted {
  files: number
  bytes: number
  /** Devices and pipes, by their raw paths. */
  leftOut: string[]
}

/** The packages that one layer brought. */
export interface LayerPackages {
  layer: number
  packages: readonly { type: string; name: string; version: string }[]
}

/** A content that other images of the store have too, in layers that are not the same. */
export interface SharedContent {
  file: FoundFile
  /** Their names, or ids. */
  images: readonly string[]
}

/** An image, opened. */
export interface ExploredImage extends AsyncDisposable {
  /** As it was asked for. */
  name: string
  tags: readonly string[]
  id: Digest
  platform: string
  layers: readonly ExploredLayer[]
  /** What was wrong and can be lived with: a layer that is not what its diff id says. */
  notes: readonly string[]
  /** Kept for images of the store; else computed at the first call. */
  figures(options?: { signal?: AbortSignal | undefined }): Promise<Figures>
  /** Files that take the most: each once, where it was seen first with that content. At most 1,000. */
  largest(limit: number, options?: { signal?: AbortSignal | undefined }): Promise<readonly FoundFile[]>
  /**
   * Contents of at least 1 KiB that the image has under several paths, or in several layers, hard links left out: what costs most first.
   * At most 1,000.
   */
  duplicates(limit: number, options?: { signal?: AbortSignal | undefined }): Promise<readonly Duplicate[]>
  /** The document that dive writes by `--json`, piece by piece. */
  diveDocument(options?: { signal?: AbortSignal | undefined }): AsyncIterable<string>
  /** Nothing is read yet. Throws InvalidArgument for layers that it has not. */
  tree(range: CompareRange): ExploredTree
  /** What one layer alone has at a path, whiteouts as `undefined`; undefined as well when it has nothing there. */
  entry(layer: number, path: string): LayerEntry | undefined
  /**
   * Bytes of a file as one layer has it: of a hard link its file's. Where the layer is compressed in an archive or at a registry, all before
   * it is read over. Throws NotFound, InvalidArgument when it is no file, DataLoss.
   */
  read(layer: number, path: string, options?: ReadOptions): Promise<FilePart>
  /** Of each layer. Throws Unsupported where files are in archives alone: only layers of the store lie unpacked. */
  packages(): Promise<readonly LayerPackages[]>
  /** What each layer does to a path, lowest first; those that do nothing to it are left out. */
  history(path: string): PathStep[]
  /** The places of a text in the files, one for each line, by the order of the tree. */
  search(text: string, options?: SearchOptions): AsyncIterable<ContentMatch>
  /** Where the files of another image, as a container sees them, differ from this one's. What came or went as a whole is one line. */
  compare(other: ExploredImage, options?: { signal?: AbortSignal | undefined }): AsyncIterable<ImageDifference>
  /**
   * Writes a file, or a directory with all that is in it, into a directory of the host, which is made. Owners, times and set-id bits are not
   * kept. Nothing is written over or through a link. Throws NotFound, AlreadyExists, as `read`.
   */
  extract(path: string, directory: string, options?: ExtractOptions): Promise<Extracted>
  /** All bytes of a file, in chunks that are the reader's until it asks for the next. Throws as `read`. */
  stream(layer: number, path: string, options?: { signal?: AbortSignal | undefined }): AsyncIterable<Uint8Array>
}

/** How an image is opened. */
export interface OpenOptions {
  platform?: Platform
  source?: RegistryAccess
  onProgress?: OnProgress
  signal?: AbortSignal | undefined
}

/** Opens images to be looked into. Safe beside all else, also for several processes at once. */
export interface Explorer {
  /**
   * A name or id of the store, or a place as `Images.copy` takes it (`docker-archive:`, `oci:`, `oci-archive:`, `docker://`, `dir:`,
   * `containers-storage:`). Makes the indexes that are missing. Nothing is recorded as an image. Throws NotFound, InvalidArgument,
   * PermissionDenied, Unavailable, DataLoss, Unsupported for what has too many entries, and the signal's reason.
   */
  open(place: string, options?: OpenOptions): Promise<ExploredImage>
  /**
   * Contents of at least 16 KiB that an image of the store has and others have too, each in layers of their own, so that they lie on the disk
   * twice; what costs most first, at most 1,000. Makes the indexes that are missing of all images. Throws as `open`.
   */
  shared(name: string, limit: number, options?: OpenOptions): Promise<readonly SharedContent[]>
}
