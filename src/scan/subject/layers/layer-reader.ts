import { parseLayerName, type LayerPath } from "../../../archive/layer-path.ts"
import type { TarEntry, TarSink } from "../../../archive/tar-entry.ts"
import { TarReader } from "../../../archive/tar-reader.ts"
import { Unsupported } from "../../../base/errors.ts"
import { newDirectory, type FileNode } from "./file-node.ts"

/** Of a path: a tree of a thousand levels is nobody's. */
const MAX_DEPTH = 256

/** How many names there may be: counted down by all layers of an image together. */
export interface NamesLeft {
  left: number
}

/**
 * Reads a layer's archive, piece by piece, to the tree of its names; of files where their bytes lie in it. A later entry of a name takes the
 * place of the one before. Throws DataLoss, InvalidArgument as `applyLayer`, and Unsupported for what has to be unpacked to be read.
 */
export class LayerReader implements TarSink {
  readonly root: FileNode
  /** Of all files together, also of those that another takes the place of. */
  sizeBytes = 0
  readonly #layer: number
  readonly #names: NamesLeft
  readonly #reader = new TarReader(this)
  #lastPath = ""
  #last: FileNode

  constructor(layer: number, names: NamesLeft) {
    this.#layer = layer
    this.#names = names
    this.root = newDirectory("", layer)
    this.#last = this.root
  }

  write(chunk: Uint8Array): void {
    this.#reader.write(chunk)
  }

  finish(): void {
    this.#reader.finish()
  }

  entry(entry: TarEntry): void {
    const name = parseLayerName(entry.name)
    if (name.kind === "ignored") return
    if (name.kind === "opaque") {
      const directory = this.#directory(name.directory)
      if (directory !== undefined) directory.isOpaque = true
      return
    }
    const parent = this.#directory(name.path.directory)
    if (parent === undefined) return
    if (name.kind === "whiteout") {
      parent.whiteouts ??= new Set()
      if (!parent.whiteouts.has(name.path.name)) this.#count()
      parent.whiteouts.add(name.path.name)
    } else this.#file(entry, name.path, parent)
  }

  data(): void {}

  end(): void {}

  #file(entry: TarEntry, path: LayerPath, parent: FileNode): void {
    if (path.name === "") return describe(this.root, entry)
    const before = parent.children?.get(path.name)
    if (before === undefined) this.#count()
    if (entry.type === "directory" && before?.type === "directory") return describe(before, entry)
    // what goes was a directory, perhaps the one that was asked for last
    if (before?.type === "directory") this.#lastPath = "\0"
    const node = entry.type === "hardlink" ? this.#linked(entry, path.name) : this.#node(entry, path.name)
    parent.children?.set(path.name, node)
  }

  #node(entry: TarEntry, name: string): FileNode {
    if (entry.isSparse) throw new Unsupported("the layer has a sparse file, whose bytes lie in no one piece")
    const node = newDirectory(name, this.#layer)
    if (entry.type !== "directory") delete node.children
    describe(node, entry)
    node.type = entry.type === "hardlink" ? "file" : entry.type
    node.device = entry.device
    if (entry.type === "symlink") node.link = entry.linkName
    if (entry.type === "file") {
      node.sizeBytes = entry.sizeBytes
      this.sizeBytes += entry.sizeBytes
      node.dataAt = this.#reader.dataOffset
    }
    return node
  }

  /** One more name of a file of this layer. */
  #linked(entry: TarEntry, name: string): FileNode {
    const parsed = parseLayerName(entry.linkName)
    const target =
      parsed.kind === "file" ? this.#directory(parsed.path.directory)?.children?.get(parsed.path.name) : undefined
    if (target === undefined || target.type === "directory")
      throw new Unsupported("the layer has a hard link to what it has not")
    target.links++
    return { ...target, name }
  }

  /** Made where it is not; undefined below what is no directory. */
  #directory(path: string): FileNode | undefined {
    if (path === this.#lastPath) return this.#last
    let node = this.root
    const parts = path === "" ? [] : path.split("/")
    if (parts.length > MAX_DEPTH) throw new Unsupported("the layer has a path of too many directories")
    for (const name of parts) {
      let next = node.children?.get(name)
      if (next === undefined) {
        this.#count()
        next = newDirectory(name, this.#layer)
        node.children?.set(name, next)
      }
      if (next.type !== "directory") return undefined
      node = next
    }
    this.#lastPath = path
    this.#last = node
    return node
  }

  #count(): void {
    if (this.#names.left-- <= 0) throw new Unsupported("the image has too many names to be kept in memory")
  }
}

function describe(node: FileNode, { mode, uid, gid, mtime }: TarEntry): void {
  Object.assign(node, { mode, uid, gid, mtime: mtime.seconds, isImplied: false })
}
