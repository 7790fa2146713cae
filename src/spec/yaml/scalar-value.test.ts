import { describe, expect, test } from "bun:test"
import { scalarValue, type Scalar } from "./scalar-value.ts"

const plain = (text: string, tag?: string) =>
  scalarValue({ kind: "scalar", at: 0, text, isPlain: true, ...(tag !== undefined && { tag }) })

// each was shown to docker compose 2.40.3
describe("a plain scalar is what go-yaml takes it for", () => {
  test.each<[string, Scalar]>([
    ["0440", 288],
    ["0o440", 288],
    ["-0440", -288],
    ["0x1F", 31],
    ["0b11", 3],
    ["1_000", 1000],
    ["1__0", 10],
    ["0x_1", 1],
    ["1_000.5", 1000.5],
    ["0_7", 7],
    ["00", 0],
    ["-0", 0],
    ["+1", 1],
    ["089", 89],
    ["0o9", "0o9"],
    ["1.5e3", 1500],
    ["1e3", 1000],
    ["1.", 1],
    [".5", 0.5],
    ["-.5", -0.5],
    ["12e03", 12000],
    ["12345678901234567890", 12345678901234567890n],
    ["99999999999999999999999", 1e23],
    ["1e400", "1e400"],
    ["190:20:30", "190:20:30"],
    ["yes", "yes"],
    ["on", "on"],
    ["n", "n"],
    ["true", true],
    ["FALSE", false],
    ["tRUE", "tRUE"],
    ["~", null],
    ["", null],
    ["Null", null],
    ["nULL", "nULL"],
    [".inf", Infinity],
    [".5.5", ".5.5"],
    ["1.2.3", "1.2.3"],
    ["-", "-"],
    ["2001-12-14", new Date("2001-12-14T00:00:00Z")],
    ["2001-1-1", new Date("2001-01-01T00:00:00Z")],
    ["2001-12-14 21:59:43.10", new Date("2001-12-14T21:59:43.1Z")],
    ["2001-12-14t21:59:43.10-05:00", new Date("2001-12-15T02:59:43.1Z")],
    ["2001-13-01", "2001-13-01"],
    ["2001-02-30", "2001-02-30"],
  ])("%s", (text, value) => expect(plain(text)).toEqual(value))
})

test("a tag decides what a scalar is", () => {
  expect(plain("3", "!!str")).toBe("3")
  expect(plain("3", "!foo")).toBe("3")
  expect(plain("3", "!<tag:yaml.org,2002:str>")).toBe("3")
  expect(plain("0o7", "!!int")).toBe(7)
  expect(plain("aGVsbG8=", "!!binary")).toBe("hello")
  expect(plain("yes", "!!bool")).toBeUndefined()
  expect(scalarValue({ kind: "scalar", at: 0, text: "3", isPlain: false })).toBe("3")
  expect(scalarValue({ kind: "scalar", at: 0, text: "3", isPlain: false, tag: "!!int" })).toBe(3)
})
