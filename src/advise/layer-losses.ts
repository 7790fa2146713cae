import type { FileTree } from "../sbom/sbom.ts"

/** Names are kept for so many files; what comes after is not counted, and said. */
const MAX_FILES = 3_000_000

interface Node {
  children?: Map<string, Node>
  /** Of the file that is seen here; undefined: none is. */
  file?: { layer: number; bytes: number }
}

/** Bytes of one layer that nobody sees, because a later one deletes or overwrites them. */
export interface LayerLoss {
  /** Whose bytes they are, and which layer hides them; from 0. */
  layer: number
  hiddenBy: number
  bytes: number
  files: number
  /** The largest of them, raw. */
  examples: readonly { path: string; bytes: number }[]
}

/** Of an image's layers, lowest first: what is lost between each two of them, what is seen at the end, and what caches take. */
export interface LayerSums {
  losses: LayerLoss[]
  /** Seen at the end. */
  files: number
  bytes: number
  /** Seen at the end below directories of caches, by layer and directory. */
  caches: { layer: number; directory: string; bytes: number }[]
  isCut: boolean
}

/** Directories that package managers leave, and the command that clears each. */
export const CACHE_DIRECTORIES: Readonly<Record<string, string>> = {
  "var/lib/apt/lists": "rm -rf /var/lib/apt/lists/*",
  "var/cache/apt": "apt-get clean",
  "var/cache/apk": "rm -rf /var/cache/apk/*",
  "var/cache/yum": "yum clean all",
  "var/cache/dnf": "dnf clean all",
  "var/cache/zypp": "zypper clean",
  "root/.cache": "rm -rf /root/.cache",
  "root/.npm": "npm cache clean -f",
  "usr/local/share/.cache": "yarn cache clean",
  "root/.m2": "rm -rf /root/.m2",
  "root/.cargo/registry": "rm -rf /root/.cargo/registry",
}

/** Walks each layer once. */
export function sumLayers(layers: readonly (() => FileTree)[]): LayerSums {
  const root: Node = {}
  const losses = new Map<
    string,
    { layer: number; hiddenBy: number; bytes: number; files: number; examples: { path: string; bytes: number }[] }
  >()
  let count = 0
  const lose = (path: string, { layer, bytes }: { layer: number; bytes: number }, hiddenBy: number) => {
    const key = `${layer}:${hiddenBy}`
    const loss = losses.get(key) ?? { layer, hiddenBy, bytes: 0, files: 0, examples: [] }
    loss.bytes += bytes
    loss.files++
    loss.examples.push({ path, bytes })
    if (loss.examples.length > 100) loss.examples = largest(loss.examples)
    losses.set(key, loss)
  }
  for (const [layer, open] of layers.entries()) {
    using tree = open()
    for (const entry of tree.walk()) {
      const stat = entry.stat()
      if (stat === undefined || count > MAX_FILES) continue
      const isWhiteout = stat.type === "character" && stat.device.major === 0 && stat.device.minor === 0
      const node = nodeAt(root, entry.path, !isWhiteout)
      if (node === undefined) continue
      if (stat.type === "directory") {
        if (node.file !== undefined) lose(entry.path, node.file, layer)
        delete node.file
        continue
      }
      loseAll(node, entry.path, (path, file) => lose(path, file, layer))
      if (isWhiteout) continue
      count++
      node.file = { layer, bytes: stat.type === "file" ? stat.sizeBytes : 0 }
    }
  }
  return {
    losses: [...losses.values()].map((loss) => Object.assign(loss, { examples: largest(loss.examples).slice(0, 3) })),
    ...seen(root),
    isCut: count > MAX_FILES,
  }
}

function largest(examples: readonly { path: string; bytes: number }[]): { path: string; bytes: number }[] {
  return examples.toSorted((a, b) => b.bytes - a.bytes).slice(0, 10)
}

function nodeAt(root: Node, path: string, make: boolean): Node | undefined {
  let node: Node = root
  for (const name of path.split("/")) {
    let child: Node | undefined = node.children?.get(name)
    if (child === undefined) {
      if (!make) return undefined
      child = {}
      node.children ??= new Map()
      node.children.set(name, child)
    }
    node = child
  }
  return node
}

/** All files at and below a node are seen no more. */
function loseAll(node: Node, path: string, lose: (path: string, file: { layer: number; bytes: number }) => void): void {
  if (node.file !== undefined) lose(path, node.file)
  delete node.file
  for (const [name, child] of node.children ?? []) loseAll(child, `${path}/${name}`, lose)
  delete node.children
}

function seen(root: Node): Pick<LayerSums, "files" | "bytes" | "caches"> {
  let [files, bytes] = [0, 0]
  const caches = new Map<string, { layer: number; directory: string; bytes: number }>()
  const visit = (node: Node, path: string, cache: string | undefined) => {
    if (node.file !== undefined) {
      files++
      bytes += node.file.bytes
      if (cache !== undefined && node.file.bytes > 0) {
        const key = `${node.file.layer}:${cache}`
        const sum = caches.get(key) ?? { layer: node.file.layer, directory: cache, bytes: 0 }
        sum.bytes += node.file.bytes
        caches.set(key, sum)
      }
    }
    for (const [name, child] of node.children ?? []) {
      const inner = path === "" ? name : `${path}/${name}`
      visit(child, inner, cache ?? (Object.hasOwn(CACHE_DIRECTORIES, inner) ? inner : undefined))
    }
  }
  visit(root, "", undefined)
  return { files, bytes, caches: [...caches.values()] }
}
