import { ignoreMatcher, type IgnoreMatcher } from "../../dockerfile/ignore-file.ts"
import type { Source } from "./executor.ts"

/** What happens to an entry below a source: taken; left out; a directory that is looked through, made only for what it holds. */
export type Verdict = "in" | "out" | "through"

/** `path` is relative to the directory that is copied. */
export type SourceFilter = (path: string, isDirectory: boolean) => Verdict

/** What of a source directory is copied. */
export interface FilterOptions {
  /** Where in the source the copied directory lies, relative; "" for all of it. */
  base: string
  /** `--exclude`, relative to the copied directory. */
  exclude: readonly string[]
  /** `--parents`: nothing else is taken. */
  include?: readonly string[]
}

/** Undefined: everything is taken. */
export function sourceFilter(source: Source, { base, exclude, include }: FilterOptions): SourceFilter | undefined {
  const filters = [
    ...(source.excludes === undefined ? [] : [ignoreFilter(source, base)]),
    ...(exclude.length === 0 ? [] : [excludeFilter(exclude)]),
    ...(include === undefined ? [] : [includeFilter(ignoreMatcher(include))]),
  ]
  if (filters.length === 0) return undefined
  return (path, isDirectory) => {
    let verdict: Verdict = "in"
    for (const filter of filters) {
      const one = filter(path, isDirectory)
      if (one === "out") return "out"
      if (one === "through") verdict = "through"
    }
    return verdict
  }
}

function ignoreFilter({ excludes, mayHoldIncluded }: Source, base: string): SourceFilter {
  const prefix = base === "" ? "" : `${base}/`
  return (path, isDirectory) => {
    const full = prefix + path
    if (excludes?.(full, isDirectory) !== true) return "in"
    return isDirectory && (mayHoldIncluded?.(full) ?? true) ? "through" : "out"
  }
}

// buildkit takes these as they are, where an ignore file's lose their leading slash: then they match no relative path
function excludeFilter(patterns: readonly string[]): SourceFilter {
  const matcher = ignoreMatcher(patterns.filter((pattern) => !/^!?\s*\//.test(pattern)))
  return (path, isDirectory) => {
    if (!matcher.excludes(path)) return "in"
    return isDirectory && matcher.mayHoldIncluded(path) ? "through" : "out"
  }
}

/** The same language of patterns: what would be left out is what is taken. */
function includeFilter(matcher: IgnoreMatcher): SourceFilter {
  return (path, isDirectory) => {
    if (matcher.excludes(path)) return "in"
    return isDirectory ? "through" : "out"
  }
}
