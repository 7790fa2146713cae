import { expect, test } from "bun:test"
import { formatDuration } from "../../spec/docker/duration.ts"
import { listAll, quote, quoteAll, quoteRune } from "./go-format.ts"

// what Go's fmt prints
test.each([
  ["plain é 한국 👽", '"plain é 한국 👽"'],
  ['a"b\\c', '"a\\"b\\\\c"'],
  ["\x07\b\f\n\r\t\v", '"\\a\\b\\f\\n\\r\\t\\v"'],
  ["\x00\x1f\x7f", '"\\x00\\x1f\\x7f"'],
  ["\u00a0\u00ad\u200b\u2028\ufeff", '"\\u00a0\\u00ad\\u200b\\u2028\\ufeff"'],
  ["\u{e0001}", '"\\U000e0001"'],
])("quote(%j) is %s", (text, quoted) => expect(quote(text)).toBe(quoted))

test("slices have no commas", () => {
  expect(quoteAll(["a", "b c"])).toBe('["a" "b c"]')
  expect(quoteAll([])).toBe("[]")
  expect(listAll(["a", "b c"])).toBe("[a b c]")
})

test.each([
  [0, "0s"],
  [500, "500ns"],
  [1500, "1.5µs"],
  [1_500_000, "1.5ms"],
  [1e9, "1s"],
  [1.5e9, "1.5s"],
  [90e9, "1m30s"],
  [3600e9, "1h0m0s"],
  [3661.001e9, "1h1m1.001s"],
  [86400e9 * 3, "72h0m0s"],
])("formatDuration(%d) is %s", (nanoseconds, text) => expect(formatDuration(nanoseconds)).toBe(text))

test.each([
  [0, "'\\x00'"],
  [10, "'\\n'"],
  [34, "'\"'"],
  [39, "'\\''"],
  [92, "'\\\\'"],
  [65, "'A'"],
  [0xd800, "'\uFFFD'"],
  [0x110000, "'\uFFFD'"],
])("quoteRune(%d) is %s", (code, text) => expect(quoteRune(code)).toBe(text))
