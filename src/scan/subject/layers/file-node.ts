import type { FileStat } from "../../../sys/fs/directory.ts"

/** One name of a layer, or of layers one over the other. All names are raw. */
export interface FileNode {
  readonly name: string
  type: FileStat["type"]
  mode: number
  uid: number
  gid: number
  sizeBytes: number
  /** Seconds since 1970. */
  mtime: bigint
  device: { major: number; minor: number }
  /** Where a symbolic link leads; else "". */
  link: string
  /** Names that the file has. */
  links: number
  /** From the ground up. */
  layer: number
  /** Of a file: where its bytes begin in the layer's archive. */
  dataAt: number
  /** Of a directory. */
  children?: Map<string, FileNode>
  /** Of a directory: no entry is of it, only of what is in it. */
  isImplied?: boolean
  /** Of a directory of one layer: it hides all that is below, or these names. */
  isOpaque?: boolean
  whiteouts?: Set<string>
  /** Its children are those of several layers, and of no other tree. */
  isMerged?: boolean
}

/** A directory that somebody's path goes through. */
export function newDirectory(name: string, layer: number): FileNode {
  return {
    name,
    type: "directory",
    mode: 0o755,
    uid: 0,
    gid: 0,
    sizeBytes: 0,
    mtime: 0n,
    device: { major: 0, minor: 0 },
    link: "",
    links: 1,
    layer,
    dataAt: 0,
    children: new Map(),
    isImplied: true,
  }
}

/** Lays a layer over those below it (image-spec layer.md, "Applying changesets"); `below` becomes what is seen then, `upper` stays as it is. */
export function layOver(below: FileNode, upper: FileNode): void {
  const children = ownChildren(below)
  if (upper.isOpaque === true) children.clear()
  for (const name of upper.whiteouts ?? []) children.delete(name)
  for (const [name, node] of upper.children ?? []) {
    const covered = children.get(name)
    if (node.type !== "directory" || covered?.type !== "directory") {
      children.set(name, node)
      continue
    }
    const merged: FileNode =
      covered.isMerged === true ? covered : { ...covered, isMerged: true, children: new Map(covered.children) }
    layOver(merged, node)
    children.set(name, merged)
  }
  if (upper.isImplied === true) return
  const { mode, uid, gid, mtime, layer } = upper
  Object.assign(below, { mode, uid, gid, mtime, layer, isImplied: false })
}

function ownChildren(node: FileNode): Map<string, FileNode> {
  return (node.children ??= new Map())
}
