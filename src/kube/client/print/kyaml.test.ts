import { expect, test } from "bun:test"
import { parse } from "yaml"
import { kyaml } from "./kyaml.ts"

/** As kubectl 1.35.2 prints it (`kubectl annotate --local -o kyaml`). */
const PRINTED = `---
{
  data: {
    "0o7": "n",
    "12:30": "n",
    1a: "n",
    A.b_c/d-e: "n",
    "a b": "n",
    "a-": "n",
    ctl: "\\a\\b\\v\\f\\e\\0\\x01\\_\\P\\ufeff",
    lead: "\\
      \\  indented\\n\\
       \\n\\
       last  \\n\\
      ",
    nl: "\\
       \\n\\
      ",
    "null": "n",
    tab: "a\tb\\"q\\"\\\\ ",
    tail: "\\
       one\\n\\
       two\\
      ",
    "y": "n",
  },
  spec: {
    args: [
      "a",
      "\\
         multi\\n\\
         line\\
        ",
    ],
    env: [{
      name: "A",
      value: "1",
    }, {
      name: "B",
    }],
    host: true,
    none: [],
    port: 80,
    status: {},
  },
}
`

test("a document is printed as kubectl prints it, and read as it was", () => {
  const n = "n"
  const document = {
    spec: {
      port: 80,
      host: true,
      none: [],
      status: {},
      left: undefined,
      args: ["a", "multi\nline"],
      env: [{ name: "A", value: "1" }, { name: "B" }],
    },
    data: {
      "0o7": n,
      "12:30": n,
      "1a": n,
      "A.b_c/d-e": n,
      "a b": n,
      "a-": n,
      null: n,
      y: n,
      ctl: "\x07\b\v\f\x1b\0\x01\xa0\u2029\ufeff",
      lead: "  indented\n\nlast  \n",
      nl: "\n",
      tab: 'a\tb"q"\\ ',
      tail: "one\ntwo",
    },
  }
  const printed = kyaml(document)
  expect(printed).toBe(PRINTED)
  const { left: _, ...spec } = document.spec
  expect(parse(printed)).toEqual({ ...document, spec })
})
