/** Which files a COPY means: Go's filepath.Match by directory, links followed inside the root. */
import { NotFound, hasErrno } from "../../base/errors.ts"
import { openRawInRoot } from "../../sys/fs/confined.ts"
import { resolveInRoot, statInRoot } from "../../sys/fs/confined-path.ts"
import { readDirectory, type FileStat } from "../../sys/fs/directory.ts"
import { close, O_DIRECTORY } from "../../sys/libc.ts"
import { rawName } from "../../sys/fs/raw-name.ts"
import { cleanPath } from "../../dockerfile/ignore-file.ts"
import { compileGlob } from "../../dockerfile/glob.ts"
import type { Source } from "./executor.ts"

/** A file or directory that a pattern of COPY or ADD names. */
export interface FoundSource {
  /** As named, absolute, before links were followed: its last name is what a file is called at its target. */
  named: string
  /** Raw, relative, without links. */
  path: string
  stat: FileStat
}

/** A source of COPY or ADD, as it is looked for. */
export interface SourcePattern {
  /** Absolute, maybe with wildcards. */
  pattern: string
  /** `--parents`: what is taken below it. */
  include?: string[]
}

/** `--parents`: `/a/./b/*.c` takes `b/*.c` below `/a`; without a pivot all names of the path are kept. */
export function splitPivot(source: string): SourcePattern {
  const at = source.indexOf("/./")
  const pattern = at < 0 ? "/" : source.slice(0, at) || "/"
  const include = cleanPath(at < 0 ? source : `/${source.slice(at + 3)}`).slice(1)
  return include === "" ? { pattern } : { pattern, include: [include] }
}

/** Throws NotFound for a plain path that is not there; a pattern with wildcards may find nothing. */
export function findSources(source: Source, rootFd: number, { pattern, include }: SourcePattern): FoundSource[] {
  if (!hasWildcards(pattern)) {
    const top = find(source, rootFd, cleanPath(pattern))
    for (const path of include ?? []) if (!hasWildcards(path)) find(source, rootFd, cleanPath(`${top.named}/${path}`))
    return [top]
  }
  // `packages/*/./package.json`: what has none is left out by the filter, as BuildKit wants a path only where none is a pattern
  return expand(source, rootFd, pattern)
}

export function hasWildcards(text: string): boolean {
  return /[*?[]/.test(text.replaceAll(/\\./gs, ""))
}

function find(source: Source, rootFd: number, named: string): FoundSource {
  const found = tryFind(source, rootFd, named)
  if (found !== undefined) return found
  throw notFound(named)
}

/** The error for a source that is not there. */
export function notFound(named: string): NotFound {
  return new NotFound(`"${named}": not found`, {
    hint: "check spelling, build context and .dockerignore",
  })
}

function tryFind(source: Source, rootFd: number, named: string): FoundSource | undefined {
  try {
    const { path, stat } = resolveInRoot(rootFd, rawName(named))
    // the link itself may be left out as well as what it leads to
    if (stat === undefined || [path, rawName(named).slice(1)].some((one) => isLeftOut(source, rootFd, one, stat)))
      return undefined
    return { named, path, stat }
  } catch (error) {
    if (hasErrno(error, "ENOTDIR", "ELOOP")) return undefined
    throw error
  }
}

// a directory that is left out is there for what is taken back below it, and only then
function isLeftOut(source: Source, rootFd: number, path: string, { type }: Pick<FileStat, "type">): boolean {
  if (source.excludes === undefined || path === "") return false
  const text = shownText(path)
  const isDirectory = type === "directory"
  if (!source.excludes(text, isDirectory)) return false
  return !isDirectory || !(source.mayHoldIncluded?.(text) ?? true) || !holdsIncluded(source, rootFd, path)
}

function holdsIncluded(source: Source, rootFd: number, path: string): boolean {
  return entriesOf(rootFd, path).some(
    ({ name, isDirectory }) =>
      !isLeftOut(source, rootFd, `${path}/${name}`, { type: isDirectory ? "directory" : "file" }),
  )
}

/** Names as the patterns of a Dockerfile have them. */
export function shownText(path: string): string {
  return Buffer.from(path, "latin1").toString("utf8")
}

/** filepath.Match knows no `**`: to it that is one star. Wildcards go through real directories only. */
function expand(source: Source, rootFd: number, pattern: string): FoundSource[] {
  const names = cleanPath(pattern).split("/").slice(1)
  const first = names.findIndex(hasWildcards)
  const base = `/${names.slice(0, first).join("/")}`
  const top = find(source, rootFd, base)
  if (top.stat.type !== "directory") return []
  let level = [{ named: base === "/" ? "" : base, path: top.path }]
  for (const [index, name] of names.slice(first).entries()) {
    const matches = compileGlob(name.replaceAll(/\\.|\*+/gs, (part) => (part.startsWith("*") ? "*" : part)))
    const isLast = first + index === names.length - 1
    level = level.flatMap(({ named, path }) =>
      namesIn(rootFd, path)
        .filter((child) => matches(shownText(child)))
        .map((child) => ({ named: `${named}/${shownText(child)}`, path: path === "" ? child : `${path}/${child}` }))
        .filter((child) => isLast || statInRoot(rootFd, child.path)?.type === "directory"),
    )
  }
  return level.filter(({ path }) => !isIgnored(source, rootFd, path)).map(({ named }) => find(source, rootFd, named))
}

// a link that a pattern names and that leads nowhere is an error (buildkit cache/contenthash): only what is left out is not
function isIgnored(source: Source, rootFd: number, path: string): boolean {
  const stat = statInRoot(rootFd, path)
  return stat === undefined || isLeftOut(source, rootFd, path, stat)
}

function namesIn(rootFd: number, path: string): string[] {
  return entriesOf(rootFd, path)
    .map(({ name }) => name)
    .toSorted()
}

function entriesOf(rootFd: number, path: string): ReturnType<typeof readDirectory> {
  const fd = openRawInRoot(rootFd, path, O_DIRECTORY)
  try {
    return readDirectory(fd)
  } finally {
    close(fd)
  }
}
