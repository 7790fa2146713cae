import { expect, test } from "bun:test"
import { YAML } from "bun"
import { writeYaml } from "./write-yaml.ts"

test("mappings are sorted, lists stand as far in as their key", () => {
  expect(writeYaml({ kind: "Pod", apiVersion: "v1", list: [{ b: [1, "two"], a: {} }, "x"], none: undefined })).toBe(
    "apiVersion: v1\nkind: Pod\nlist:\n- a: {}\n  b:\n  - 1\n  - two\n- x\n",
  )
})

const STRINGS =
  "yes|no|null|~|true|1|1.5|0x1f|1e3|0o7|.inf|-|- a|a: b|a:b|a #b|#a|'a'|\"a\"|a\\b|*a|&a|!a|%a|@a|`a|{a}|[a]|>|\\||?a|: |a:| a|a |a\nb|a\tb|\u2028|é|=|<<|2001-01-01|12:30|a,b|http://x/y?z=1|--flag|/bin/sh -c|"

test("every string is read back as it was", () => {
  for (const text of [...STRINGS.split("|"), "|", "", "a  b", "\u0000\u007f", "𝄞"]) {
    const document = { [text]: text, list: [text, [text]], nested: { key: text } }
    expect(YAML.parse(writeYaml(document))).toEqual(document)
  }
})
