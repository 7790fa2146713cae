import { lstatSync, readdirSync, realpathSync, statSync } from "node:fs"
import { basename, dirname, join, posix, resolve } from "node:path"
import { hasErrno, NotFound } from "../base/errors.ts"
import { compileGlob } from "../dockerfile/glob.ts"
import { ignoreMatcher, parseIgnoreFile } from "../dockerfile/ignore-file.ts"
import type { Source } from "../build/execute/executor.ts"
import type { WorkingCopy } from "./builder.ts"

/** A file or directory of the caller that a word of the command line names. */
export interface HostSource {
  source: Source
  /** Below it. */
  pattern: string
  isDirectory: boolean
  /** Of a file that a link leads to: the link's. It is called so where it is copied to. */
  name?: string
}

/**
 * What `text` names on the host. The caller's own paths: he may follow their links himself. With a context, of that directory
 * alone, which is a root then: neither `..` nor a link leads out of it. A name that is not there may be a pattern. Throws
 * NotFound.
 */
export function hostSources(text: string, context: WorkingCopy["context"]): HostSource[] {
  return context === undefined ? expand(resolve(text)).map(ownPath) : contextPaths(text, context)
}

function ownPath(path: string): HostSource {
  const isLink = lstatSync(path).isSymbolicLink()
  const real = isLink ? realpathSync(path) : resolve(realpathSync(dirname(path)), basename(path))
  const isDirectory = statSync(real).isDirectory()
  return {
    source: { path: dirname(real), keepsOwners: false },
    pattern: `/${literal(basename(real))}`,
    isDirectory,
    ...(isLink && !isDirectory ? { name: basename(path) } : {}),
  }
}

function contextPaths(text: string, { directory, ignored }: NonNullable<WorkingCopy["context"]>): HostSource[] {
  const root = realpathSync(directory)
  const { excludes, mayHoldIncluded } = ignoreMatcher(parseIgnoreFile(ignored ?? ""))
  const own: Source = { path: root, keepsOwners: false, keepsAttributes: true }
  const source = ignored === undefined ? own : { ...own, excludes, mayHoldIncluded }
  return expand(join(root, posix.resolve("/", text))).map((path) => ({
    source,
    pattern: `/${literal(path.slice(root.length + 1))}`,
    isDirectory: lstatSync(path).isDirectory(),
  }))
}

/** In the order of the names. */
function expand(path: string): string[] {
  if (isThere(path)) return [path]
  const names = path.split("/")
  const first = names.findIndex((name) => /[*?[]/.test(name))
  const found = first < 0 ? [] : names.slice(first).reduce(matching, [names.slice(0, first).join("/")])
  if (found.length === 0) throw new NotFound(`no such file or directory: "${path}"`)
  return found
}

function matching(directories: readonly string[], pattern: string): string[] {
  const matches = compileGlob(pattern)
  return directories.flatMap((directory) =>
    namesOf(directory)
      .filter(matches)
      .toSorted()
      .map((name) => `${directory}/${name}`),
  )
}

function namesOf(directory: string): string[] {
  try {
    return readdirSync(directory === "" ? "/" : directory)
  } catch (error) {
    if (hasErrno(error, "ENOENT", "ENOTDIR")) return []
    throw error
  }
}

function isThere(path: string): boolean {
  try {
    lstatSync(path)
    return true
  } catch (error) {
    if (hasErrno(error, "ENOENT", "ENOTDIR")) return false
    throw error
  }
}

/** Names that look like patterns are names here: the Dockerfile reference writes them as classes, `arr[[]0].txt`. */
export function literal(name: string): string {
  return name.replaceAll(/[*?[]/g, "[$&]").replaceAll("\\", "[\\\\]")
}
