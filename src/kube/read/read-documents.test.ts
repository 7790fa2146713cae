import { describe, expect, test } from "bun:test"
import { assert, jsonValue, property } from "fast-check"
import { checkObject } from "./check-object.ts"
import { readDocuments, type Json } from "./read-documents.ts"

const check = (text: string) => checkObject(read(text)[0] as Json, "Pod")
const read = (text: string) => readDocuments(Buffer.from(text), "a.yaml").map(({ value }) => value)

test("documents are read in order, empty ones left out, lists taken apart", () => {
  expect(read("---\na: 1\n---\n---\nkind: List\nitems: [{b: 2}, {c: ~}]\n")).toEqual([{ a: 1 }, { b: 2 }, { c: null }])
  expect(readDocuments(Buffer.from("a: 1\n---\nb: 2\n"), "x.yaml").map(({ place }) => place)).toEqual([
    "x.yaml:1",
    "x.yaml:3",
  ])
})

test("aliases and merges are written out, and __proto__ is a key like any other", () => {
  expect(read("a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}\n")).toEqual([{ a: { b: 1, c: 2 }, d: { b: 1, c: 3 } }])
  const [value] = read('__proto__: {polluted: "yes"}\n')
  expect(Object.keys(value as object)).toEqual(["__proto__"])
  expect(({} as { polluted?: string }).polluted).toBeUndefined()
})

test("JSON is read as what it says", () => {
  assert(
    property(
      jsonValue().filter((value) => !/\d{16}/.test(JSON.stringify(value))),
      (value) => {
        const wrapped = { v: value }
        expect(read(JSON.stringify(wrapped))).toEqual([JSON.parse(JSON.stringify(wrapped))])
      },
    ),
    { numRuns: 100 },
  )
})

describe("is refused by name:", () => {
  const bomb = `a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n${Array.from({ length: 8 }, (_, n) => `a${n + 1}: &a${n + 1} [${Array(10).fill(`*a${n}`).join(",")}]`).join("\n")}\n`

  test.each([
    [bomb, "excessive aliasing"],
    ["a: &a [*a]\n", "contains itself"],
    ["a: [\n", "yaml: line 2: did not find"],
    ["a: 1\na: 2\n", 'mapping key "a" already defined'],
    ["? [a]\n: b\n", "a key must be a text"],
    [`${"[".repeat(2000)}${"]".repeat(2000)}`, ""],
    ["kind: List\nitems: 3\n", "must be a list"],
    [Array.from({ length: 1001 }, () => "--- {a: 1}\n").join(""), "the limit is 1000"],
  ])("%#", (text, expected) => expect(() => read(text)).toThrow(expected))

  test("what is too large, or no text", () => {
    expect(() => readDocuments(new Uint8Array(9 * 2 ** 20), "a.yaml")).toThrow("the limit is")
    expect(() => readDocuments(Uint8Array.of(0xff, 0xfe), "a.yaml")).toThrow("no text in UTF-8")
  })
})

describe("an object has the form of its kind", () => {
  test("unknown fields are left out and told of, one in another case is read", () => {
    expect(check("spec: {hostnetwork: true, imag: x, containers: [{nam: y, stdin: ~}]}\n")).toEqual({
      value: { spec: { hostNetwork: true, containers: [{}] } },
      unknown: [
        { path: "spec.hostnetwork", text: 'unknown field, read as "hostNetwork": a cluster would not' },
        { path: "spec.imag", text: "unknown field" },
        { path: "spec.containers[0].nam", text: "unknown field" },
      ],
    })
  })

  test("numbers are texts where texts stand, and octal modes are numbers", () => {
    const { value } = check(
      "metadata: {labels: {v: 1.5, b: true}}\nspec: {volumes: [{name: 7, secret: {defaultMode: 0644}}]}\n",
    )
    expect(value).toEqual({
      metadata: { labels: { v: "1.5", b: "true" } },
      spec: { volumes: [{ name: "7", secret: { defaultMode: 420 } }] },
    })
  })

  test.each([
    ["spec: [a]\n", "spec must be a mapping"],
    ["spec: {containers: {a: b}}\n", "spec.containers must be a list"],
    ["spec: {containers: [{command: ls}]}\n", 'spec.containers[0].command must be a list, and is "ls"'],
    ["spec: {containers: [{ports: [{hostPort: x}]}]}\n", "spec.containers[0].ports[0].hostPort must be an integer"],
    ["spec: {hostPID: 3}\n", "spec.hostPID must be true or false"],
    ["metadata: {labels: {a: [b]}}\n", 'metadata.labels["a"] must be a text'],
    ["[]\n", "the document must be a mapping"],
  ])("%j is refused", (text, expected) => expect(() => check(text)).toThrow(expected))
})
