import { chmodSync, closeSync, lstatSync, mkdirSync, openSync, symlinkSync, writeSync } from "node:fs"
import { AlreadyExists, InvalidArgument, NotFound } from "../base/errors.ts"
import { shownPath } from "../sbom/sbom.ts"
import type { ExploredImage, Extracted, ExtractOptions, TreeNode } from "./explore.ts"

/** See `ExploredImage.extract`. */
export async function extractPath(
  image: ExploredImage,
  path: string,
  directory: string,
  { layer, signal }: ExtractOptions = {},
): Promise<Extracted> {
  const last = image.layers.length - 1
  if (last < 0) throw new NotFound(`"${image.name}" has no files`)
  const tree = image.tree({ since: 0, upTo: layer ?? last })
  const top = tree.node(path)
  if (top === undefined || top.change === "removed")
    throw new NotFound(`${shownPath(path)} is not in "${image.name}"`, { hint: "which layer had it, its history says" })
  mkdirSync(directory, { recursive: true })
  const extracted: Extracted = { files: 0, bytes: 0, leftOut: [] }
  // names are bytes: only so are paths of theirs written as they are
  const root = Buffer.from(directory)
  const target = path === "" ? root : join(root, top.name)
  if (path !== "" && lstatSync(target, { throwIfNoEntry: false }) !== undefined)
    throw new AlreadyExists(`"${target.toString()}" is there already`, { hint: "extract to another directory" })
  await one(top, target)
  return extracted

  async function one(node: TreeNode, to: Buffer): Promise<void> {
    signal?.throwIfAborted()
    const { entry } = node
    if (node.isDirectory) {
      // nobody else may put links into it before it is whole
      if (node.path !== "") mkdirSync(to, { mode: 0o700 })
      for (const child of tree.children(node.path))
        if (child.change !== "removed") await one(child, join(to, child.name))
      if (node.path !== "") chmodSync(to, (0o700 | (entry.mode & 0o777)) & ~process.umask())
    } else if (entry.type === "symlink") {
      symlinkSync(Buffer.from(entry.linkTarget, "latin1"), to)
      extracted.files++
    } else if (entry.type === "file" || entry.type === "hardlink") await file(node, to)
    else extracted.leftOut.push(node.path)
  }

  /** Never through what is there: neither a file nor a link of that name. Set-id bits are not kept. */
  async function file(node: TreeNode, to: Buffer): Promise<void> {
    const fd = openSync(to, "wx", node.entry.mode & 0o777)
    try {
      for await (const chunk of image.stream(node.layer, node.path, { signal })) {
        for (let done = 0; done < chunk.length;) done += writeSync(fd, chunk, done)
        extracted.bytes += chunk.length
      }
      extracted.files++
    } finally {
      closeSync(fd)
    }
  }
}

function join(directory: Buffer, name: string): Buffer {
  if (name === "." || name === ".." || name.includes("/"))
    throw new InvalidArgument(`the image has a file of the name "${name}", which is none`)
  return Buffer.concat([directory, Buffer.from(`/${name}`, "latin1")])
}
