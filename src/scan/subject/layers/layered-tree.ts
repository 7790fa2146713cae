import { readSync } from "node:fs"
import { LeftOut, shownPath, type FileTree, type RandomFile, type TreeEntry } from "../../../sbom/sbom.ts"
import type { FileStat } from "../../../sys/fs/directory.ts"
import { rawName } from "../../../sys/fs/raw-name.ts"
import type { FileNode } from "./file-node.ts"

/** What a kernel makes, where an image has it all the same. */
const NOT_LOOKED_INTO = new Set(["proc", "sys", "dev"])
const MAX_DEPTH = 128
const MAX_NAMES = 100_000
/** path_resolution(7) */
const MAX_LINKS = 40
/** Of files that are read by their names, any number of times. */
const MAX_NAMED_BYTES = 4 * 1024 ** 3
/** Of files with several hard links. */
const MAX_LINKED_BYTES = 32 * 1024 ** 3

/** Where the uncompressed archive of a layer is read: `at` is its first byte in the file. */
export interface LayerFile {
  fd: number
  at: number
}

const chunk = Buffer.alloc(1 << 18)

/** Files that lie in the archives of layers, where they are read. Its disposal closes nothing: the archives are others'. */
export class LayeredTree implements FileTree {
  readonly hostPath = undefined
  readonly #root: FileNode
  readonly #files: readonly LayerFile[]
  readonly #left = new LeftOut()
  #namedBytes = 0
  #linkedBytes = 0

  constructor(root: FileNode, files: readonly LayerFile[]) {
    this.#root = root
    this.#files = files
  }

  get leftOut(): string[] {
    return this.#left.texts
  }

  read(path: string, maxBytes: number): Buffer | undefined {
    const raw = rawName(path)
    const node = this.#resolve(raw)
    const bytes = node && this.#readWhole(node, raw, Math.min(maxBytes, MAX_NAMED_BYTES - this.#namedBytes))
    this.#namedBytes += bytes?.length ?? 0
    return bytes
  }

  open(path: string, maxBytes: number): RandomFile | undefined {
    const raw = rawName(path)
    const node = this.#resolve(raw)
    if (node?.type !== "file") return undefined
    if (node.sizeBytes > maxBytes) this.#left.tell("large", shownPath(raw))
    return node.sizeBytes > maxBytes || !this.#mayRead(node, raw) ? undefined : this.#randomFile(node)
  }

  names(path: string): string[] {
    const names = [...(this.#resolve(rawName(path))?.children?.keys() ?? [])]
    if (names.length > MAX_NAMES) this.#left.tell("many", `all but ${MAX_NAMES} names in ${shownPath(rawName(path))}`)
    return names.slice(0, MAX_NAMES)
  }

  *walk(skips?: (path: string, isDirectory: boolean) => boolean): Generator<TreeEntry> {
    yield* this.#directory(this.#root, "", 0, skips)
  }

  /** What is at a raw path, no link followed. */
  node(path: string): FileNode | undefined {
    let node: FileNode | undefined = this.#root
    for (const name of path.split("/").filter((part) => part !== "")) node = node?.children?.get(name)
    return node
  }

  [Symbol.dispose](): void {}

  *#directory(
    node: FileNode,
    path: string,
    depth: number,
    skips: ((path: string, isDirectory: boolean) => boolean) | undefined,
  ): Generator<TreeEntry> {
    const children = [...(node.children ?? [])].toSorted(([a], [b]) => (a < b ? -1 : 1))
    for (const [name, child] of children) {
      if (depth === 0 && NOT_LOOKED_INTO.has(name)) continue
      const inner = path === "" ? name : `${path}/${name}`
      const isDirectory = child.type === "directory"
      if (skips?.(inner, isDirectory) === true) continue
      yield {
        path: inner,
        name,
        isDirectory,
        stat: () => statOf(child),
        read: (maxBytes) => this.#readWhole(child, inner, maxBytes),
        chunks: (onBytes) => this.#chunks(child, inner, onBytes),
        at: (use) => (child.type === "file" && this.#mayRead(child, inner) ? use(this.#randomFile(child)) : undefined),
      }
      if (!isDirectory) continue
      if (depth < MAX_DEPTH) yield* this.#directory(child, inner, depth + 1, skips)
      else this.#left.tell("deep", shownPath(inner))
    }
  }

  /** Links are followed inside the tree: what leads above the root leads to it. */
  #resolve(path: string): FileNode | undefined {
    const left = path.split("/").toReversed()
    const above: FileNode[] = []
    let node = this.#root
    let links = 0
    for (let name = left.pop(); name !== undefined; name = left.pop()) {
      if (name === "" || name === ".") continue
      if (name === "..") {
        node = above.pop() ?? this.#root
        continue
      }
      const next = node.children?.get(name)
      if (next === undefined) return undefined
      if (next.type === "symlink") {
        if (++links > MAX_LINKS) return undefined
        if (next.link.startsWith("/")) {
          above.length = 0
          node = this.#root
        }
        left.push(...next.link.split("/").toReversed())
      } else {
        above.push(node)
        node = next
      }
    }
    return node
  }

  #readWhole(node: FileNode, path: string, maxBytes: number): Buffer | undefined {
    if (node.type !== "file") return undefined
    if (node.sizeBytes <= maxBytes)
      return this.#mayRead(node, path) ? this.#randomFile(node).read(0, node.sizeBytes) : undefined
    this.#left.tell("large", shownPath(path))
    return undefined
  }

  #chunks(node: FileNode, path: string, onBytes: (bytes: Uint8Array) => void): boolean {
    const file = this.#files[node.layer]
    if (node.type !== "file" || file === undefined || !this.#mayRead(node, path)) return false
    for (let done = 0; done < node.sizeBytes;) {
      const length = Math.min(chunk.length, node.sizeBytes - done)
      const count = readSync(file.fd, chunk, 0, length, file.at + node.dataAt + done)
      if (count === 0) break
      onBytes(chunk.subarray(0, count))
      done += count
    }
    return true
  }

  #mayRead({ links, sizeBytes }: FileNode, path: string): boolean {
    if (links <= 1) return true
    this.#linkedBytes += sizeBytes
    if (this.#linkedBytes <= MAX_LINKED_BYTES) return true
    this.#left.tell("large", shownPath(path))
    return false
  }

  #randomFile({ layer, dataAt, sizeBytes }: FileNode): RandomFile {
    const file = this.#files[layer]
    return {
      sizeBytes,
      read(offset, length) {
        const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(length, sizeBytes - offset)))
        let done = 0
        if (file === undefined) return bytes.subarray(0, 0)
        for (let count = 1; done < bytes.length && count > 0; done += count)
          count = readSync(file.fd, bytes, done, bytes.length - done, file.at + dataAt + offset + done)
        return bytes.subarray(0, done)
      },
    }
  }
}

function statOf({ type, mode, uid, gid, links, sizeBytes, mtime, device, layer, dataAt }: FileNode): FileStat {
  return {
    type,
    mode,
    uid,
    gid,
    links,
    sizeBytes,
    allocatedBytes: sizeBytes,
    identity: `${layer}:${dataAt}`,
    mtime: { seconds: mtime, nanoseconds: 0 },
    device,
    isMountRoot: false,
  }
}
