import { describe, expect, test } from "bun:test"
import { assert, jsonValue, property } from "fast-check"
import { parseDocument, parseJson } from "./parse-document.ts"

const bytes = (text: string) => Buffer.from(text)
const nested = (depth: number) => bytes(`${"[".repeat(depth)}${"]".repeat(depth)}`)

describe("parseJson() measures before it parses", () => {
  test.each([
    [`[${"0,".repeat(20)}0]`, /more than 20 values/],
    [`[${"[],".repeat(20)}[]]`, /more than 20 values/],
    ["{", /not JSON/],
    ['"\ud800', /not JSON/],
  ])("%s", (text, reason) => expect(() => parseJson(bytes(text), "it", 20)).toThrow(reason))

  test("64 lists in each other are read, 65 are not", () => {
    parseJson(nested(64), "it")
    expect(() => parseJson(nested(65), "it")).toThrow("nested more than 64 levels deep")
    expect(() => parseJson(bytes("[".repeat(1e6)), "it")).toThrow("nested more than 64 levels deep")
  })

  test("braces, commas and quotes in a text are its own", () => {
    const text = JSON.stringify({ a: `${"[{,".repeat(1000)}\\"`, "[[[": '\\\\",' })
    expect(parseJson(bytes(text), "it", 5)).toEqual(JSON.parse(text))
  })

  test("whatever has few values is parsed as JSON.parse does", () => {
    assert(
      property(jsonValue({ maxDepth: 10 }), (value) => {
        const text = JSON.stringify(value)
        expect(parseJson(bytes(text), "it")).toEqual(JSON.parse(text))
      }),
    )
  })
})

test("parseDocument() takes objects only, of the size given", () => {
  expect(parseDocument(bytes('{"a":1}'), 7, "it")).toEqual({ a: 1 })
  for (const text of ["[]", "1", "null", '"x"'])
    expect(() => parseDocument(bytes(text), 9, "it")).toThrow("it is not a JSON object")
  expect(() => parseDocument(bytes('{"a":12}'), 7, "it")).toThrow("the limit is 7")
})
