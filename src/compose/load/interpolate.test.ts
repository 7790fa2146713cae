import { describe, expect, test } from "bun:test"
import { escapeDollars, interpolate, variablesOf } from "./interpolate.ts"
import type { LoadWarning } from "./request.ts"
import type { TreeMap } from "./tree.ts"

const ENVIRONMENT = { E: "", S: "set", N: "${S}", M: "a$b" }

function interpolated(text: string): { value: unknown; unset: string[] } {
  const tree: TreeMap = { L: text }
  const warnings: LoadWarning[] = []
  interpolate(tree, ENVIRONMENT, (warning) => warnings.push(warning))
  return { value: tree.L, unset: warnings.map(({ message }) => /"(.*)" variable is not set/.exec(message)?.[1] ?? "") }
}

// what docker compose 2.40.3 says of each, by `config`
describe("a text with variables", () => {
  test.each<[string, string, string[]?]>([
    ["$S", "set"],
    ["${S}x$S", "setxset"],
    ["${U}", "", ["U"]],
    ["$U-$U", "-", ["U", "U"]],
    ["$Sx", "", ["Sx"]],
    ["$_x", "", ["_x"]],
    ["${s}", "", ["s"]],
    ["${E:-d}", "d"],
    ["${E-d}", ""],
    ["${U-d}", "d"],
    ["${U:-d}", "d"],
    ["${S:-d}", "set"],
    ["${E?err}", ""],
    ["${S:?err}", "set"],
    ["${S:+alt}", "alt"],
    ["${E:+alt}", ""],
    ["${E+alt}", "alt"],
    ["${U+alt}", ""],
    ["${U:+alt}", ""],
    ["${U:-${S}}", "set"],
    ["${U:-${V:-x}}", "x"],
    ["${U:-${U2:-${U3:-deep}}}", "deep"],
    ["${U:-${S:-y}z}w", "setzw"],
    ["${U:-${S}-${S}}", "set-set"],
    ["${S:+${U:-q}}", "q"],
    ["${U:+${S}}", ""],
    ["${U:-a}b}", "ab}"],
    ["${U:-{a}}", "{a}"],
    ["${U:-{}", "{"],
    ["${U:-}}", "}"],
    ['${U:-{"a":1}}', '{"a":1}'],
    ["${U:-a$b}", "a", ["b"]],
    ["${U:-$$b}", "$b"],
    ["${U:-$}", "$"],
    ["${U:-$${S}}", "${S}"],
    ["${U:-x:-y}", "x:-y"],
    ["${U:-x?y}", "x?y"],
    ["${U:-a+b}", "a+b"],
    ["${S+a-b}", "a-b"],
    ["${S:+a?b}", "a?b"],
    ["${U:-}", ""],
    ["${U-}", ""],
    ["$$S", "$S"],
    ["$$$S", "$set"],
    ["$$$$S", "$$S"],
    ["$1", "$1"],
    ["$", "$"],
    ["a$", "a$"],
    ["$ x", "$ x"],
    ["$-", "$-"],
    ["$é", "$é"],
    ["${S}$", "set$"],
    ["${N}", "${S}"],
    ["${M}", "a$b"],
    ["{${S}}", "{set}"],
    ["$hasOwnProperty", "", ["hasOwnProperty"]],
  ])("%s", (text, value, unset = []) => expect(interpolated(text)).toEqual({ value, unset }))

  test.each<[string, string]>([
    ["${U:?err}", "required variable U is missing a value: err"],
    ["${E:?err}", "required variable E is missing a value: err"],
    ["${U?}", "required variable U is missing a value"],
    ["${U:?x-y}", "required variable U is missing a value: x-y"],
    ["${U:?x ${S} y}", "required variable U is missing a value: x set y"],
    ["${U?a:b}", "required variable U is missing a value: a:b"],
  ])("that must have a value: %s", (text, message) =>
    expect(() => interpolated(text)).toThrow(`error while interpolating L: ${message}`),
  )

  test.each([
    "${1}",
    "${",
    "${}",
    "${S",
    "${S-",
    "${S!x}",
    "${S x}",
    "${-x}",
    "${S.x}",
    "${S/x/y}",
    "${S:x}",
    "${S:}",
    "a${é}b",
  ])("that is none: %s", (text) =>
    expect(() => interpolated(text)).toThrow(
      `invalid interpolation format for L.\nYou may need to escape any $ with another $.\n${text}`,
    ),
  )
})

test("texts at every depth are interpolated, keys and other values are not; items of lists are told as []", () => {
  const tree: TreeMap = { $S: [1, "$S", { a: "$S", b: true }] }
  interpolate(tree, ENVIRONMENT, () => {})
  expect(tree).toEqual({ $S: [1, "set", { a: "set", b: true }] })
  expect(() => interpolate({ a: { b: [{ c: "${U?}" }] } }, {}, () => {})).toThrow("interpolating a.b.[].c: required")
})

test("the variables of a model are told with what stands in for them", () => {
  const found = variablesOf({ a: "${A} ${B:-${C:-x}}", b: ["$$D ${E:?no}", { f: "${F:+yes}" }], g: "${" })
  expect(
    [...found.values()].map(({ name, required, defaultValue, presenceValue }) => [
      name,
      required,
      defaultValue,
      presenceValue,
    ]),
  ).toEqual([
    ["A", false, "", ""],
    ["B", false, "${C:-x}", ""],
    ["C", false, "x", ""],
    ["E", true, "", ""],
    ["F", false, "", "yes"],
  ])
})

test("escaped, a text stays as it is", () => {
  for (const text of ["$S", "a$$b", "${S:-$x}", "$"]) expect(interpolated(escapeDollars(text)).value).toBe(text)
})
