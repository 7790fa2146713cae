import { describe, expect, test } from "bun:test"
import { applyResets } from "./reset-override.ts"
import { parseFile } from "./parse.ts"
import { originAt, type Tree, type TreeMap } from "./tree.ts"

const parse = (text: string) => parseFile(new TextEncoder().encode(text), "/p/c.yaml")
const tree = (text: string) => parse(text)[0]?.tree as Tree

function faultOf(text: string | Uint8Array) {
  try {
    parseFile(typeof text === "string" ? new TextEncoder().encode(text) : text, "/p/c.yaml")
  } catch (error) {
    return error as Error & { data: { origin?: unknown } }
  }
  throw new Error("not refused")
}

describe("merge keys", () => {
  const anchors = "x: &a {i: 1, j: 2}\ny: &b {i: 3, k: 4}\n"
  test.each<[string, Tree]>([
    ["z: {<<: *a, j: 5}", { i: 1, j: 5 }],
    ["z: {j: 5, <<: *a}", { i: 1, j: 5 }],
    ["z: {<<: [*a, *b]}", { i: 1, j: 2, k: 4 }],
    ["z: {<<: [*b, *a], i: ~}", { i: null, j: 2, k: 4 }],
    ["z: {<<: {q: 6}}", { q: 6 }],
    ["z: {'<<': *a}", { "<<": { i: 1, j: 2 } }],
    ["w: &c {<<: *a, l: 7}\nz: {<<: *c}", { i: 1, j: 2, l: 7 }],
  ])("%s", (text, expected) => expect((tree(anchors + text) as TreeMap).z).toEqual(expected))
})

test("aliases are written out, so that no two places share a value", () => {
  const { a, b } = tree("a: &x {c: [1]}\nb: *x\n") as { a: TreeMap; b: TreeMap }
  expect(b).toEqual(a)
  expect(b).not.toBe(a)
})

test("documents of a file come one by one, with empty ones between", () => {
  expect(parse("a: b\n---\nc: d\n").map((document) => document.tree)).toEqual([{ a: "b" }, { c: "d" }])
  expect(parse("a: b\n---\n").map((document) => document.tree)).toEqual([{ a: "b" }, null])
  expect(parse("# nothing\n")).toEqual([])
})

test("values know where they stood, those of later lines by their key", () => {
  const root = tree("services:\n  web:\n    image: nginx\n    ports:\n      - '80'\n")
  const placeOf = (...path: (string | number)[]) => {
    const { file, line, column } = originAt(root, path) ?? { file: "", line: 0, column: 0 }
    return [file, line, column]
  }
  expect(placeOf("services", "web", "image")).toEqual(["/p/c.yaml", 3, 12])
  expect(placeOf("services", "web", "ports")).toEqual(["/p/c.yaml", 4, 5])
  expect(placeOf("services", "web", "ports", 0)).toEqual(["/p/c.yaml", 5, 9])
})

test("!reset and !override are told by path, through aliases and merges, and !reset leaves nothing", () => {
  const [document] = parse(
    "x: &a\n  ports: !reset []\nservices:\n  a:\n    <<: *a\n    image: !override y\n    command: !reset\n    l: [!reset 3, 4]\n",
  )
  expect(document?.tree).toEqual({ x: {}, services: { a: { image: "y", l: [4] } } })
  expect(document?.resets).toEqual([
    ["x", "ports"],
    ["services", "a", "image"],
    ["services", "a", "command"],
    ["services", "a", "l", 0],
    ["services", "a", "ports"],
  ])
  const before: TreeMap = { services: { a: { image: "z", ports: ["1"], tty: true, l: [1] } } }
  applyResets(before, document?.resets ?? [])
  expect(before).toEqual({ services: { a: { tty: true, l: [1] } } })
})

// the words are docker compose 2.40.3's
describe("a faulty file is refused by its place", () => {
  test.each<[string, string, number, number]>([
    ["services:\n  a:\n    image: x\n   b: 1\n", "yaml: line 4: did not find expected key", 4, 4],
    ["a: *b\n", "yaml: unknown anchor 'b' referenced", 1, 4],
    ["a:\n  i: 1\n  i: 2\n", 'failed to parse /p/c.yaml: line 3: mapping key "i" already defined at line 2', 3, 3],
    [
      "a: &a\n  b: *a\n",
      "failed to parse /p/c.yaml: cycle detected: node at path a.b.b references node at path a.b",
      2,
      6,
    ],
    ["a:\n  <<: x\n", "failed to parse /p/c.yaml: yaml: map merge requires map or sequence of maps as the value", 2, 7],
    ["services:\n  1: x\n", "non-string key in services: 1", 2, 3],
    ["true: x\n", "non-string key at top level: true", 1, 1],
    ["a: [{1.5: x}]\n", "non-string key in a[0]: 1.5", 1, 6],
    ["a:\n  ~: x\n", "non-string key in a: <nil>", 2, 3],
    ["a: !!int x\n", "failed to parse /p/c.yaml: yaml: cannot decode !!str `x` as a !!int", 1, 4],
    ["__proto__: x\n", 'key "__proto__" is not allowed', 1, 1],
  ])("%j", (text, message, line, column) => {
    const error = faultOf(text)
    expect(error.message.split("\n")[0]).toBe(message)
    expect(error.data.origin).toEqual({ file: "/p/c.yaml", line, column })
  })

  test("one that is no UTF-8, and one that is too large", () => {
    expect(faultOf(new Uint8Array([0x61, 0x3a, 0x20, 0xff])).message).toStartWith("yaml: invalid leading UTF-8 octet")
    expect(faultOf(new Uint8Array((16 << 20) + 1)).message).toContain("the limit is 16777216")
  })

  test("aliases of aliases, in bounded memory", () => {
    const levels = Array.from(
      { length: 30 },
      (_, level) => `a${level + 1}: &a${level + 1} [${`*a${level},`.repeat(9)}]`,
    )
    expect(faultOf(`a0: &a0 x\n${levels.join("\n")}\n`).message).toContain("document contains excessive aliasing")
  })
})
