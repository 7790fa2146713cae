import { InvalidArgument } from "../base/errors.ts"
import { compileGlob } from "./glob.ts"

/** What an ignore file leaves out of the context. Paths are relative to the context: no slash at the head or the end. */
export interface IgnoreMatcher {
  /** Whether the path, by itself or with a directory above it, is left out. */
  excludes(path: string): boolean
  /** Whether something below an excluded directory may have been taken back by a `!` pattern: then it must be walked. */
  mayHoldIncluded(directory: string): boolean
  readonly hasExceptions: boolean
  readonly isEmpty: boolean
}

/** Where the ignore file of a Dockerfile is looked for, in this order; the first that exists is the only one read. */
export function ignoreFileNames(dockerfilePath: string | undefined): string[] {
  const own =
    dockerfilePath === undefined ? [] : [`${dockerfilePath}.dockerignore`, `${dockerfilePath}.containerignore`]
  return [...own, ".containerignore", ".dockerignore"]
}

/** The patterns of an ignore file: no comments, no blank lines, cleaned as paths, `!` kept in front. */
export function parseIgnoreFile(text: string): string[] {
  return text
    .replace(/^\uFEFF/, "")
    .split("\n")
    .filter((line) => !line.startsWith("#"))
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .map((line) => {
      const exception = line.startsWith("!")
      const pattern = exception ? line.slice(1).trim() : line
      if (pattern === "") return line
      const cleaned = cleanPath(pattern)
      return (exception ? "!" : "") + (cleaned.length > 1 ? cleaned.replace(/^\//, "") : cleaned)
    })
}

/**
 * Compiles patterns as moby's patternmatcher means them (`MatchesUsingParentResults`): in their order, the last that matches
 * decides; a path matches what the directory above it has matched. A pattern that could change nothing at a directory is not
 * asked there, and so says nothing of what is below: of `*.go` and `!src` the file src/a.go stays out. Throws InvalidArgument
 * naming the pattern.
 */
export function ignoreMatcher(patterns: readonly string[]): IgnoreMatcher {
  const rules = patterns
    .map((pattern) => pattern.trim())
    .filter((pattern) => pattern !== "")
    .map(parseRule)
  const exceptions = rules.filter(({ exception }) => exception)
  const directories = new Map<string, Verdict>()
  const lintDirectory = (path: string): Verdict => {
    let verdict = directories.get(path)
    if (verdict === undefined) directories.set(path, (verdict = lint(path)))
    return verdict
  }
  const lint = (path: string): Verdict => {
    const slash = path.lastIndexOf("/")
    const above = slash > 0 ? lintDirectory(path.slice(0, slash)).matched : undefined
    let excluded = false
    const matched = rules.map(({ exception, matches }, index) => {
      const hit = above?.[index] === true || (exception === excluded && matches(path))
      if (hit) excluded = !exception
      return hit
    })
    return { excluded, matched }
  }
  return {
    isEmpty: rules.length === 0,
    hasExceptions: exceptions.length > 0,
    excludes: (path) => lint(path).excluded,
    mayHoldIncluded: (directory) => exceptions.some(({ mayReach }) => mayReach(directory)),
  }
}

interface Verdict {
  excluded: boolean
  /** By each rule. */
  matched: readonly boolean[]
}

interface Rule {
  exception: boolean
  matches: (path: string) => boolean
  mayReach: (directory: string) => boolean
}

function parseRule(text: string): Rule {
  const exception = text.startsWith("!")
  if (text === "!") throw new InvalidArgument(`illegal exclusion pattern "!"`, { hint: "write a pattern after the !" })
  const pattern = cleanPath(exception ? text.slice(1) : text).replace(/^\/(?=.)/, "")
  const suffix = /^\*\*([^*?[\\]+)$/.exec(pattern)?.[1]
  return {
    exception,
    matches: suffix === undefined ? compileGlob(pattern) : endsWith(suffix),
    mayReach: reach(pattern),
  }
}

// `**/x` and `**x` are the same to patternmatcher as "ends with": `**.log`, `**/node_modules`
function endsWith(suffix: string): (path: string) => boolean {
  const whole = suffix.startsWith("/") ? suffix.slice(1) : suffix
  return (path) => path === whole || path.endsWith(suffix)
}

/** Whether a pattern may match something below a directory: its leading directories without wildcards are, or hold, the directory. */
function reach(pattern: string): (directory: string) => boolean {
  const plain = /^[^*?[\\]*/.exec(pattern)?.[0] ?? ""
  const fixed = plain.length === pattern.length ? plain : plain.slice(0, plain.lastIndexOf("/") + 1)
  return (directory) =>
    fixed.startsWith(`${directory}/`) ||
    `${directory}/`.startsWith(fixed.endsWith("/") ? fixed : `${fixed}/`) ||
    fixed === ""
}

/** Go's filepath.Clean. */
export function cleanPath(path: string): string {
  const absolute = path.startsWith("/")
  const parts: string[] = []
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue
    if (part !== "..") parts.push(part)
    else if (parts.length > 0 && parts.at(-1) !== "..") parts.pop()
    else if (!absolute) parts.push("..")
  }
  return (absolute ? "/" : "") + parts.join("/") || (absolute ? "/" : ".")
}
