import { expect, test } from "bun:test"
import { compileAsUsual } from "./jit-policy.ts"

test("the usual policy can be set again, at any time", () => {
  expect(() => {
    compileAsUsual()
    compileAsUsual()
  }).not.toThrow()
})
