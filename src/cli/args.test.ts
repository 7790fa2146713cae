import { expect, test } from "bun:test"
import { arg, expectation, readArgs } from "./args.ts"

test("readArgs() deals words to arguments in order", () => {
  expect(readArgs([arg.one("A"), arg.rest("B")], ["x", "y", "z"])).toEqual(["x", ["y", "z"]])
  expect(readArgs([arg.one("A"), arg.optional("B")], ["x"])).toEqual(["x", undefined])
  expect(readArgs([arg.some("A")], [])).toBeUndefined()
  expect(readArgs([arg.one("A")], ["x", "y"])).toBeUndefined()
  expect(readArgs([], [])).toEqual([])
})

test("expectation() tells the number of arguments in docker's words", () => {
  expect(expectation([])).toBe("accepts no arguments")
  expect(expectation([arg.one("A")])).toBe("requires 1 argument")
  expect(expectation([arg.one("A"), arg.one("B")])).toBe("requires 2 arguments")
  expect(expectation([arg.some("A")])).toBe("requires at least 1 argument")
  expect(expectation([arg.optional("A")])).toBe("requires at most 1 argument")
  expect(expectation([arg.one("A"), arg.optional("B")])).toBe("requires 1 to 2 arguments")
})
