import { describe, expect, test } from "bun:test"
import * as fc from "fast-check"
import { compileGlob } from "./glob.ts"
import { cleanPath, ignoreFileNames, ignoreMatcher, parseIgnoreFile } from "./ignore-file.ts"
import { cpuMs } from "../../test/support/cpu-time.ts"

test("parseIgnoreFile() leaves out comments and blank lines, and cleans paths", () => {
  const text =
    "\uFEFF# comment\n\n test1 \n/test2\r\n/a/file/here/\n./x/../y\n! exc\n!/lead\n/\nan\\#d\n # not at the head\n"
  expect(parseIgnoreFile(text)).toEqual([
    "test1",
    "test2",
    "a/file/here",
    "y",
    "!exc",
    "!lead",
    "/",
    "an\\#d",
    "# not at the head",
  ])
})

test("the Dockerfile's own ignore file comes first", () => {
  expect(ignoreFileNames("docker/web.Dockerfile").slice(0, 2)).toEqual([
    "docker/web.Dockerfile.dockerignore",
    "docker/web.Dockerfile.containerignore",
  ])
  expect(ignoreFileNames(undefined)).toEqual([".containerignore", ".dockerignore"])
})

describe("ignoreMatcher() decides as patternmatcher does", () => {
  const cases: [patterns: string[], path: string, excluded: boolean][] = [
    [["*"], "a/b", true],
    [["*.go"], "a.go", true],
    [["*.go"], "x/a.go", false],
    [["**/*.go"], "a.go", true],
    [["**/*.go"], "x/y/a.go", true],
    [["a"], "a/b/c", true],
    [["a"], "ab", false],
    [["a/b"], "a", false],
    [["**"], "anything/at/all", true],
    [["a/**"], "a", false],
    [["a/**"], "a/b", true],
    [["a/**/b"], "a/b", true],
    [["a/**/b"], "a/x/y/b", true],
    [["a/**/b"], "a/x/yb", false],
    [["**.log"], "x/y.log", true],
    [["**/node_modules"], "p/node_modules/x/y", true],
    [["?.txt"], "a.txt", true],
    [["?.txt"], "ab.txt", false],
    [["[a-c]x"], "bx", true],
    [["[^a-c]x"], "bx", false],
    [["a\\*b"], "a*b", true],
    [["a\\*b"], "axb", false],
    [["*", "!keep"], "keep", false],
    [["*", "!keep"], "keep/below", false],
    [["*", "!keep", "keep/not"], "keep/not/this", true],
    [["!a", "a"], "a", true],
    [["docs", "!docs/README.md"], "docs/README.md", false],
    [["docs", "!docs/README.md"], "docs/other", true],
    [["**/*.md", "!README*.md", "README-secret.md"], "README-secret.md", true],
    [["**/*.md", "!README*.md", "README-secret.md"], "README-x.md", false],
    // found out with docker: what a pattern says of a directory counts below it only where it could have changed something
    [["**/*.go", "!src"], "src/a.go", true],
    [["**/*", "!src"], "src/a.go", false],
    [["keep", "!keep/sub/s", "keep/sub"], "keep/sub/s", false],
    [["keep", "!keep/sub/s", "keep/sub"], "keep/sub/t", true],
    [[".git"], ".gitignore", false],
    [["./a/../b"], "b", true],
    [["a+(b).x"], "a+(b).x", true],
    [["a+(b).x"], "aab.x", false],
    [["/"], "a", false],
  ]
  test.each(cases)("%j on %s: %p", (patterns, path, excluded) =>
    expect(ignoreMatcher(patterns).excludes(path)).toBe(excluded),
  )

  test.each([["!"], ["["], ["a[]b"], ["x\\"]])("refuses %s", (pattern) =>
    expect(() => ignoreMatcher([pattern])).toThrow(expect.objectContaining({ code: "InvalidArgument" })),
  )
})

test("mayHoldIncluded() tells which excluded directories must be walked all the same", () => {
  const { mayHoldIncluded } = ignoreMatcher(["*", "!docs/guide/*.md", "!src"])
  expect(["docs", "docs/guide", "src", "src/a"].filter(mayHoldIncluded)).toHaveLength(4)
  expect(["doc", "docs/other", "lib"].filter(mayHoldIncluded)).toEqual([])
  expect(ignoreMatcher(["*", "!**/x"]).mayHoldIncluded("any/where")).toBe(true)
  expect(ignoreMatcher(["*"]).mayHoldIncluded("a")).toBe(false)
})

test("an included path has only directories that are included or may hold it", () => {
  const part = fc.constantFrom("a", "b", "*", "**", "a*")
  const pattern = fc
    .tuple(fc.boolean(), fc.array(part, { minLength: 1, maxLength: 3 }))
    .map(([exception, parts]) => (exception ? "!" : "") + parts.join("/"))
  const path = fc.array(fc.constantFrom("a", "b", "ab"), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(fc.array(pattern, { maxLength: 4 }), path, (patterns, parts) => {
      const { excludes, mayHoldIncluded } = ignoreMatcher(patterns)
      if (excludes(parts.join("/"))) return
      for (let depth = 1; depth < parts.length; depth++) {
        const directory = parts.slice(0, depth).join("/")
        expect(!excludes(directory) || mayHoldIncluded(directory)).toBe(true)
      }
    }),
    { numRuns: 500 },
  )
})

test("the linear matcher and the expression agree", () => {
  const part = fc.constantFrom("a", "b", "*", "?", "**/", "/", "**")
  fc.assert(
    fc.property(
      fc.array(part, { minLength: 1, maxLength: 4 }),
      fc.string({ unit: fc.constantFrom("a", "b", "/"), maxLength: 8 }),
      (parts, path) => {
        const pattern = parts.join("")
        // a class forces the linear matcher
        const linear = compileGlob(`[x]${pattern}`)
        expect(linear(`x${path}`)).toBe(compileGlob(`x${pattern}`)(`x${path}`))
      },
    ),
    { numRuns: 1000 },
  )
})

test("a hostile pattern ends at once", () => {
  const started = cpuMs()
  expect(compileGlob("**/*a*a*a*a*a*a*a*a*b")(`x/${"a".repeat(4000)}`)).toBe(false)
  expect(cpuMs() - started).toBeLessThan(5_000)
})

test("cleanPath() is Go's filepath.Clean", () => {
  const cases = { "": ".", "/": "/", "a//b/./c/..": "a/b", "../a": "../a", "/../a": "/a", "a/..": ".", "./": "." }
  for (const [path, clean] of Object.entries(cases)) expect(cleanPath(path)).toBe(clean)
})
