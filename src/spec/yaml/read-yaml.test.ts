import { describe, expect, test } from "bun:test"
import { assert, constant, constantFrom, dictionary, letrec, oneof, property, string } from "fast-check"
import { parseAllDocuments, stringify, type Document } from "yaml"
import { readYaml, yamlLines, YamlSyntaxError, type YamlNode } from "./read-yaml.ts"

/** Texts, lists and mappings; aliases expanded, tags in front. */
function shape(node: YamlNode | undefined): unknown {
  if (node === undefined) return null
  if (node.kind === "alias") return shape(node.target)
  if (node.kind === "list") return node.items.map(shape)
  if (node.kind === "map")
    return Object.fromEntries(node.pairs.map(({ key, value }) => [JSON.stringify(shape(key)), shape(value)]))
  // the other reader's failsafe schema does not tell `""` from nothing
  return node.text === "" ? null : `${node.tag ?? ""}${node.text}`
}

const read = (text: string) => readYaml(yamlLines(text)).map(shape)

/** The same by another reader. */
function other(text: string): unknown[] {
  const documents = [...parseAllDocuments(text, { schema: "failsafe", uniqueKeys: false, logLevel: "silent" })]
  return (documents as Document[]).map((document) => {
    if (document.errors.length > 0) throw document.errors[0]
    const plain = (value: unknown): unknown => {
      if (value instanceof Map)
        return Object.fromEntries([...value].map(([key, one]) => [JSON.stringify(plain(key)), plain(one)]))
      if (Array.isArray(value)) return value.map(plain)
      return value === "" ? null : value
    }
    return plain(document.toJS({ mapAsMap: true, maxAliasCount: -1 }))
  })
}

describe("a YAML text is read as another reader reads it", () => {
  test.each([
    "a: b\nc:\n  d: e\n",
    "a:\n- b\n- c: d\n  e: f\n-\n  g: h\n- - i\n  - j\nk: l\n",
    "a:\n  - b\n\n  # comment\n  - c # not text\n  - d#text\n",
    "a: b\n   c\n\n\n   d\ne: f\n",
    "a: \"b\n  c\\n\\\n   d\n\n   e\"\nf: 'it''s\n  g'\n",
    "a: |\n  b\n   c\n\n  d\n\ne: f\n",
    "a: |-\n  b\n\nc: |+\n  d\n\n\ne: >\n  f\n  g\n\n  h\n    i\n  j\n",
    "a: |2\n   b\n  c\nd: >-\n\n  e\n\n\n  f\n",
    'a: [b, {c: d}, [e, f], \'g\', "h"]\ni: {j: k, l, m: [n], "o":p, q: }\n',
    "a: [\n  b,\n  c, # d\n  e\n]\nf: {\n  g: h,\n  i: j,\n}\n",
    "a: [b: c, d]\n",
    "a: &x b\nc: *x\nd: &y\n  e: f\ng: *y\n",
    "&k a: b\n? c\n: d\n? - e\n: - f\n",
    "--- a\n--- b\n...\n---\n# nothing\n---\nc: d\n",
    "'a b': c\n\"d: e\": f\ng h: i\n",
    "a: http://x:80/y?z=1#w\nb: a:b\nc: -d\ne: ?f\ng: :h\n",
    "a:\n  b: c\n\n\nd:\n    e: f\n",
    "- a\n-   b: c\n    d: e\n- |\n  f\n- >\n  g\n",
    "a: !!str b\nc: !t\n  d: e\nf: !u [g]\n".replaceAll(/!\S+ ?/g, ""),
    "a:\n  &b\n  c: d\ne: *b\n",
    "%YAML 1.2\n---\na: b\n",
    'a: "\\u0041\\x42\\t\\/"\n',
    "a: ''\nb: \"\"\nc:\n",
    "a: |\n\n  b\n c: d\n".replace(" c: d\n", ""),
    "{a: b}\n",
    "[a, b]",
    "a:\t b\t # c\n",
    "a: b # c\nd: 'e' # f\n# g\nh:\n  # i\n  j: k\n",
    "key: |\n    deep\n  shallow\n".replace("  shallow\n", ""),
    "a: >\n  x\n\n\n   y\n  z\n\n  w\n",
    "a: 'x\n\n  y'\nb: \"x\n\n\n  y\"\n",
    "a:\n  - b:\n      - c\n    d:\n    - e\n",
    "a: |  # comment\n  b\n",
    "a: b\r\nc: |\r\n  d\r\n",
  ])("%j", (text) => expect(read(text)).toEqual(other(text)))

  test("whatever is written, in any style", () => {
    const key = oneof(constantFrom("a", "b c", "image", "x-y", "1"), string({ minLength: 1, maxLength: 6 }))
    const { tree } = letrec((tie) => ({
      tree: oneof({ maxDepth: 4 }, tie("text"), tie("list"), tie("map")),
      text: oneof(
        string({ unit: "grapheme-ascii" }),
        constantFrom(
          "a\nb\n",
          "a\n\n b\n",
          " x",
          "x ",
          "# x",
          "- x",
          "a: b",
          "'",
          '"',
          "x\n\n\n",
          "\n",
          "long ".repeat(40),
        ),
        constant("plain"),
      ),
      list: oneof(constant([]), tie("tree")).map((one) => (Array.isArray(one) ? one : [one, one, "z"])),
      map: dictionary(key, tie("tree"), { maxKeys: 4 }),
    }))
    assert(
      property(
        tree,
        constantFrom(0, 80),
        constantFrom("QUOTE_DOUBLE", "QUOTE_SINGLE", "PLAIN", "BLOCK_FOLDED", "BLOCK_LITERAL"),
        (value, lineWidth, style) => {
          const text = stringify(
            { root: value },
            { lineWidth, defaultStringType: style as "PLAIN", aliasDuplicateObjects: false, version: "1.2" },
          )
          expect(read(text)).toEqual(other(text))
        },
      ),
      { numRuns: 200 },
    )
  })
})

describe("a faulty text is refused in libyaml's words, where the fault is", () => {
  test.each<[string, string, number]>([
    ["services:\n  a:\n    image: x\n   b: 1\n", "did not find expected key", 4],
    ["services:\n  a:\n\timage: x\n", "found character that cannot start any token", 3],
    ["services: [a\n", "did not find expected ',' or ']'", 2],
    ["services: {a: b\n", "did not find expected ',' or '}'", 2],
    ['"a: b\n', "found unexpected end of stream", 1],
    ["a: *b\n", "unknown anchor 'b' referenced", 1],
    ["a:\n  c: [,]\n", "did not find expected node content", 2],
    ['a: "\\q"\n', "found unknown escape character", 1],
    ["a: x: y\n", "mapping values are not allowed in this context", 1],
    ["a:\n  image: x\n  foo\n", "could not find expected ':'", 3],
    ["a: @x\n", "found character that cannot start any token", 1],
    ["a: %x\n", "found character that cannot start any token", 1],
    ["a: - x\n", "block sequence entries are not allowed in this context", 1],
    ["a:\n  - x\n  b: c\n", "did not find expected '-' indicator", 3],
    ['a: "x" y\n', "did not find expected key", 1],
    ["a: \u0001\n", "control characters are not allowed", 1],
    ["a: b\n c: d\n", "mapping values are not allowed in this context", 2],
    ["a: |x\n  b\n", "did not find expected comment or line break", 1],
    ["- a\nb: c\n", "did not find expected '-' indicator", 2],
    ["a: b\n- c\n", "did not find expected key", 2],
    ["[".repeat(600), "nested more than 500 levels deep", 1],
    [`${"- ".repeat(600)}a`, "nested more than 500 levels deep", 1],
    [`[${"a,".repeat(250_001)}]`, "more than 250000 values", 1],
  ])("%.40j", (text, message, line) => {
    let fault: unknown
    try {
      readYaml(text)
    } catch (error) {
      fault = error
    }
    expect(fault).toBeInstanceOf(YamlSyntaxError)
    const { message: said, at } = fault as YamlSyntaxError
    expect([said, text.slice(0, at).split("\n").length]).toEqual([message, line])
  })
})

test("a node knows its place, its tag and whether it was quoted", () => {
  const [root] = readYaml("a: !reset [b]\nc: '1'\n")
  expect(readYaml("''")).toEqual([{ kind: "scalar", at: 0, text: "", isPlain: false }])
  expect(root?.kind === "map" && root.pairs.map(({ key, value }) => [key.at, value.at, value.tag])).toEqual([
    [0, 3, "!reset"],
    [14, 17, undefined],
  ])
})
