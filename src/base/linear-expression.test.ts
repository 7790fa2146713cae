import { expect, test } from "bun:test"
import { array, assert, constantFrom, property, stringMatching } from "fast-check"
import { LinearExpression } from "./linear-expression.ts"
import { cpuMs } from "../../test/support/cpu-time.ts"

test("expressions and texts that take JavaScript's own for ever take no time", () => {
  const started = cpuMs()
  for (const source of ["(x+x+)+y", "(x*)*y", "(x|xx)+y", "(.*)*y", "(?:x?){1000}y"])
    expect(new LinearExpression(source).test("x".repeat(4096))).toBe(false)
  expect(cpuMs() - started).toBeLessThan(5_000)
})

test("exec() goes from one place to the next, with its groups", () => {
  const expression = new LinearExpression("(?i)(?P<key>[a-z]+)=(?P<value>[0-9]+)?")
  const text = "A=1 b= ü=3 c=4"
  const found = []
  for (let match = expression.exec(text); match !== null; match = expression.exec(text)) found.push(match)
  expect(found.map((match) => [match[0], match.index, match.groups?.value])).toEqual([
    ["A=1", 0, "1"],
    ["b=", 4, undefined],
    ["c=4", 11, "4"],
  ])
  expect(expression.lastIndex).toBe(0)
})

test("what is wrong is said", () => {
  for (const source of [
    "(",
    "a{1001}",
    "(?=a)",
    String.raw`(a)\1`,
    "(a{100}){100}",
    "[z-a]",
    `(?:${"abc".repeat(5000)})`,
  ])
    expect(() => new LinearExpression(source)).toThrow(SyntaxError)
})

test("it finds what JavaScript finds", () => {
  const piece = constantFrom("a", "b", ".", "[ab]", "[^a]", "a*", "b+", "(?:ab)?", "a{2}", "^", "$", "a|b")
  assert(
    property(array(piece, { maxLength: 5 }), stringMatching(/^[abc\n]{0,12}$/), (pieces, text) => {
      const source = pieces.map((each) => `(?:${each})`).join("")
      expect(new LinearExpression(source).test(text)).toBe(new RegExp(source).test(text))
    }),
  )
})
