import { describe, expect, test } from "bun:test"
import { formatGitSource, parseGitSource, type GitSource } from "./git-source.ts"

describe("parseGitSource()", () => {
  const good: [text: string, source: Partial<GitSource>][] = [
    ["https://h/o/r.git", { remote: "https://h/o/r.git", ref: "", directory: "" }],
    ["https://h/r.git#main", { ref: "main", directory: "" }],
    ["https://h/r.git#:sub/dir", { ref: "", directory: "sub/dir" }],
    ["http://h/r.git#v1:sub", { remote: "http://h/r.git", ref: "v1", directory: "sub" }],
    ["git@h:o/r.git#x", { remote: "git@h:o/r.git", ref: "x" }],
    ["git://h/r", { remote: "git://h/r" }],
    ["ssh://git@h:22/r#x", { remote: "ssh://git@h:22/r", ref: "x" }],
    ["https://h/r.git?ref=v1&subdir=s", { ref: "v1", directory: "s" }],
    ["https://h/r.git?tag=v1", { ref: "refs/tags/v1" }],
    [
      "https://h/r.git?branch=b&keep-git-dir&submodules=0",
      { ref: "refs/heads/b", keepGitDir: true, submodules: false },
    ],
    ["https://h/r.git?commit=abc", { ref: "abc", checksum: "abc" }],
  ]
  test.each(good)("%s", (text, source) => expect(parseGitSource(text)).toMatchObject(source))

  test.each([
    "a/b",
    "./x.git",
    "https://h/r",
    "https://h/r.tgz#x.git",
    "ext::sh -c x",
    "-u@h",
    "file:///r.git",
    "C:\\x",
  ])("%s is none", (text) => expect(parseGitSource(text)).toBeUndefined())

  test.each([
    ["https://h/r.git?nope=1", 'unexpected query "nope"'],
    ["https://h/r.git?ref=", 'query "ref" has no value'],
    ["https://h/r.git?ref=a#b", "ref conflicts"],
    ["https://h/r.git?subdir=a#:b", "subdir conflicts"],
    ["https://h/r.git?keep-git-dir=maybe", "invalid keep-git-dir value"],
  ])("refuses %s", (text, why) => expect(() => parseGitSource(text)).toThrow(why))
})

test("formatGitSource() gives back what parseGitSource() reads", () => {
  for (const text of ["https://h/r.git", "https://h/r.git#a", "git@h:r.git#a:b", "git://h/r#:b"])
    expect(formatGitSource(parseGitSource(text) as GitSource)).toBe(text)
})
