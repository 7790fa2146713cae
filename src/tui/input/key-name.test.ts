import { expect, test } from "bun:test"
import { InvalidArgument } from "../../base/errors.ts"
import { parseKeys, shownKey } from "./key-name.ts"

test.each([
  ["ctrl+c,q", ["ctrl+c", "q"]],
  ["ctrl+f, ctrl+slash", ["ctrl+f", "ctrl+/"]],
  ["up,k", ["up", "k"]],
  ["PgUp, PageDown", ["pgup", "pgdn"]],
  ["ctrl+space", ["ctrl+space"]],
  ["Ctrl+A", ["ctrl+a"]],
  ["G", ["G"]],
  ["shift+g", ["G"]],
  ["shift+tab", ["shift+tab"]],
  ["ctrl+_", ["ctrl+/"]],
  ["F5", ["f5"]],
])("%j names the keys %j", (text, expected) => {
  expect(parseKeys(text, "keybinding.up")).toEqual(expected)
})

test.each(["", ",", "hyper+x", "ctrl+", "nokey"])("%j is refused", (text) => {
  expect(() => parseKeys(text, "keybinding.up")).toThrow(InvalidArgument)
})

test.each([
  ["ctrl+f", "^F"],
  ["ctrl+space", "^Space"],
  ["tab", "Tab"],
  ["?", "?"],
  ["alt+x", "Alt-x"],
])("%s is shown as %s", (key, expected) => expect(shownKey(key)).toBe(expected))
