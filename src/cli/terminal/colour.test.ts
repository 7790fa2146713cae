import { expect, test } from "bun:test"
import { hasColour } from "./colour.ts"

test.each([
  [true, {}, true],
  [false, {}, false],
  [true, { NO_COLOR: "1" }, false],
  [true, { NO_COLOR: "" }, true],
  [true, { TERM: "dumb" }, false],
  [true, { CLICOLOR: "0" }, false],
  [false, { CLICOLOR_FORCE: "1" }, true],
  [false, { CLICOLOR_FORCE: "0" }, false],
  [false, { CLICOLOR_FORCE: "1", NO_COLOR: "1" }, false],
])("a terminal: %p, with %p: colours: %p", (isTerminal, env, expected) => {
  expect(hasColour(2, env, () => isTerminal)).toBe(expected)
})
