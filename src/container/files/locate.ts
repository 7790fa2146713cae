/** Paths of either end of a copy, by docker's rules, as open directories and names in them. */
import { hasErrno, InvalidArgument, NotFound } from "../../base/errors.ts"
import { openRawInRoot } from "../../sys/fs/confined.ts"
import { resolveInRoot, statInRoot } from "../../sys/fs/confined-path.ts"
import type { NameAt } from "../../sys/fs/copy-tree.ts"
import type { FileStat } from "../../sys/fs/directory.ts"
import { isOfKernel } from "../../sys/fs/kernel-files.ts"
import { rawName } from "../../sys/fs/raw-name.ts"
import { close, O_DIRECTORY, O_PATH } from "../../sys/libc.ts"

/** Where paths of one end start from. */
export interface Tree {
  fd: number
  /** `container web`, `the host`. */
  called: string
}

/** What is to be copied. */
export interface Source extends Disposable {
  at: NameAt
  stat: FileStat
  /** Raw: what it is called in a directory that it is copied into. */
  base: string
  /** `dir/.`: what is in it, and not itself. */
  contentsOnly: boolean
}

/** Where it is copied to. */
export interface Target extends Disposable {
  /** The last name, and the directory that it is in. */
  at: NameAt
  /** Raw, inside the tree, without links. */
  path: string
  /** Undefined: nothing is there yet. */
  stat: FileStat | undefined
  /** It was written with a slash at its end. */
  mustBeDirectory: boolean
}

/** `text` as typed. Throws NotFound, InvalidArgument. The caller disposes of it. */
export function locateSource(tree: Tree, text: string, followLink: boolean): Source {
  checkText(text)
  const names = rawName(text)
    .split("/")
    .filter((name) => name !== "" && name !== ".")
  const isDirectory = endsAsDirectory(text)
  const last = names.at(-1) ?? ""
  const path = followLink || isDirectory || last === ".." ? resolved(tree, text).path : names.join("/")
  const at = parentOf(tree, path, text)
  const stat = statInRoot(at.directory, at.name)
  if (stat === undefined || (isDirectory && stat.type !== "directory")) close(at.directory)
  if (stat === undefined) throw missing(tree, text)
  if (isDirectory && stat.type !== "directory")
    throw new InvalidArgument(`"${text}" on ${tree.called} is not a directory`)
  refuseKernel(at.directory, tree, text)
  const base = last === ".." ? at.name : last
  const contentsOnly = base === "" || base === "." || /(?:^|\/)\.$/.test(text)
  return { at, stat, base, contentsOnly, [Symbol.dispose]: () => close(at.directory) }
}

/** All links are followed, also one that leads to nothing yet. Throws NotFound without the directory that it would lie in. */
export function locateTarget(tree: Tree, text: string): Target {
  checkText(text)
  const { path, missing: missingNames, stat } = resolved(tree, text)
  if (missingNames > 1) throw missing(tree, text)
  const at = parentOf(tree, path, text)
  refuseKernel(at.directory, tree, text)
  return { at, path, stat, mustBeDirectory: endsAsDirectory(text), [Symbol.dispose]: () => close(at.directory) }
}

/** "no such file" in the words that scripts know. */
export function missing({ called }: Tree, text: string): NotFound {
  return new NotFound(`"${text}" could not be found on ${called}: no such file or directory`)
}

function checkText(text: string): void {
  if (text.includes("\0")) throw new InvalidArgument(`the path ${JSON.stringify(text)} has a NUL in it`)
}

/** `dir/`, `dir/.`, `dir/..`: a link at the end is followed, and a directory it has to be. */
function endsAsDirectory(text: string): boolean {
  return /(?:^|\/)\.{0,2}$/.test(text)
}

function resolved(tree: Tree, text: string): ReturnType<typeof resolveInRoot> {
  try {
    return resolveInRoot(tree.fd, rawName(text))
  } catch (error) {
    if (hasErrno(error, "ENOTDIR", "ENOENT")) throw missing(tree, text)
    if (hasErrno(error, "ELOOP"))
      throw new InvalidArgument(`"${text}" on ${tree.called} is a link in a circle`, { cause: error })
    throw error
  }
}

/** The root lies in itself. */
function parentOf(tree: Tree, path: string, text: string): NameAt {
  const cut = path.lastIndexOf("/")
  try {
    const directory = openRawInRoot(tree.fd, path.slice(0, Math.max(cut, 0)), O_PATH | O_DIRECTORY)
    return { directory, name: path === "" ? "." : path.slice(cut + 1) }
  } catch (error) {
    if (hasErrno(error, "ENOENT", "ENOTDIR")) throw missing(tree, text)
    throw error
  }
}

function refuseKernel(directory: number, { called }: Tree, text: string): void {
  if (!isOfKernel(directory)) return
  close(directory)
  throw new InvalidArgument(`"${text}" on ${called} is the kernel's own: it is not copied`, {
    hint: "read or write it by a program in the container",
  })
}
