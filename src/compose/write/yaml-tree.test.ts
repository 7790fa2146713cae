import { expect, test } from "bun:test"
import { jsonText } from "./json-tree.ts"
import { compareKeys } from "./key-order.ts"
import { Ordered, yamlDocument } from "./yaml-tree.ts"

// by docker compose 2.40.3: a value of `environment` behind its key
test.each<[string, string]>([
  ["plain text", "plain text"],
  ["", '""'],
  ["~", '"~"'],
  ["null", '"null"'],
  ["yes", '"yes"'],
  ["N", '"N"'],
  ["0x1f", '"0x1f"'],
  ["08", '"08"'],
  ["1_000", '"1_000"'],
  ["1e3", '"1e3"'],
  ["1e400", "1e400"],
  ["12:30:45", '"12:30:45"'],
  ["80:80", "80:80"],
  ["2020-01-01", '"2020-01-01"'],
  ["2020-02-30", "2020-02-30"],
  ["=", "="],
  ["<<", "<<"],
  ["a: b", "'a: b'"],
  ["a #b", "'a #b'"],
  [" a", "' a'"],
  ["-", "'-'"],
  ["--", "--"],
  ["---a", "'---a'"],
  ["it's", "it's"],
  ["'a'", "'''a'''"],
  ["a\tb", '"a\\tb"'],
  ["é", "é"],
  ["😀", '"\\U0001F600"'],
  ["\u0007", '"\\a"'],
  ["a\nb", "|-\n  a\n  b"],
  ["a\nb\n", "|\n  a\n  b"],
  ["a\n\n", "|+\n  a\n"],
  [" a\nb", "|2-\n   a\n  b"],
  ["a \nb", '"a \\nb"'],
])("%j is written %j", (text, expected) => {
  expect(yamlDocument({ K: text })).toBe(`K: ${expected}\n`)
})

test("keys are sorted, digits as numbers; those of a struct stay", () => {
  expect(["a10", "b", "a9", "A", "9", "_", "10"].toSorted(compareKeys)).toEqual(["_", "9", "10", "A", "a9", "a10", "b"])
  expect(
    yamlDocument(
      new Ordered([
        ["b", { y: 1, x: [] }],
        ["a", [[1, 2], { c: null }]],
      ]),
    ),
  ).toBe('b:\n  x: []\n  "y": 1\na:\n  - - 1\n    - 2\n  - c: null\n')
})

test("JSON is Go's: sorted, indented, safe in a page", () => {
  expect(jsonText({ b: "<&>", a: [], c: { d: null } }, 2)).toBe(
    '{\n  "a": [],\n  "b": "\\u003c\\u0026\\u003e",\n  "c": {\n    "d": null\n  }\n}',
  )
  expect(jsonText({ b: "\u2028\u0007", a: 1e-7 }, 0)).toBe('{"a":1e-07,"b":"\\u2028\\u0007"}')
})
