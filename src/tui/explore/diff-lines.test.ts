import { expect, test } from "bun:test"
import * as fc from "fast-check"
import { diffLines } from "./diff-lines.ts"

test.each([
  ["", "", ""],
  ["abc", "abc", " a b c"],
  ["abc", "axc", " a-b+x c"],
  ["", "ab", "+a+b"],
  ["ab", "", "-a-b"],
  ["abcabba", "cbabac", "-a-b c+b a b-b a+c"],
])("%j to %j", (before, after, expected) => {
  const marks = { same: " ", added: "+", removed: "-" }
  const lines = diffLines([...before], [...after])
  expect(lines?.map(({ kind, text }) => marks[kind] + text).join("")).toBe(expected)
})

test("what is left of a comparison is both texts", () => {
  const texts = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 40 })
  fc.assert(
    fc.property(texts, texts, (before, after) => {
      const lines = diffLines(before, after) ?? []
      expect(lines.filter(({ kind }) => kind !== "added").map(({ text }) => text)).toEqual(before)
      expect(lines.filter(({ kind }) => kind !== "removed").map(({ text }) => text)).toEqual(after)
    }),
  )
})

test("texts that have nothing in common are given up, in bounded time", () => {
  const before = Array.from({ length: 20_000 }, (_, line) => `a${line}`)
  const after = Array.from({ length: 20_000 }, (_, line) => `b${line}`)
  expect(diffLines(before, after)).toBeUndefined()
})
