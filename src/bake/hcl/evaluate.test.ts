import { expect, test } from "bun:test"
import { evaluate, type Scope } from "./evaluate.ts"
import { callStandard } from "./functions.ts"
import { parseHcl } from "./parse.ts"
import { Budget, type HclValue } from "./value.ts"

const names: Readonly<Record<string, HclValue>> = { v: "x", list: ["a", "b"], map: { k: "1", l: "2" }, yes: true, n: 3 }

function value(text: string): HclValue {
  const scope: Scope = {
    budget: new Budget(),
    variable: (name) => names[name],
    call: callStandard,
    attribute: () => undefined,
  }
  const expression = parseHcl(`a = ${text}\n`).attributes.get("a")
  if (!expression) throw new Error("no attribute")
  return JSON.parse(JSON.stringify(evaluate(expression.value, scope))) as HclValue
}

function thousand(text: string): string {
  return `[for a in range(1000) : ${text}]`
}

test.each<[string, HclValue]>([
  ["1 + 2 * 3", 7],
  ["(1 + 2) * 3 % 4", 1],
  ["-n", -3],
  ['!yes || n >= 3 && v == "x"', true],
  ['yes ? "a" : "b"', "a"],
  ['"a${v}b$${v}%%{x}"', "axb${v}%{x}"],
  ['"${list}"', ["a", "b"]],
  ['"${n}1"', "31"],
  ['"q\\"\\n\\u0041"', 'q"\nA'],
  ['"${join("-", [for s in list : "${upper(s)}"])}"', "A-B"],
  ["list[1]", "b"],
  ["map.k", "1"],
  ['map["l"]', "2"],
  ['[for k, one in map : "${k}=${one}"]', ["k=1", "l=2"]],
  ['{ for s in list : s => upper(s) if s != "a" }', { b: "B" }],
  ['{ a = 1, "b" : 2\n c = [\n 1,\n 2,\n ] }', { a: 1, b: 2, c: [1, 2] }],
  ['"%{ if yes }on%{ else }off%{ endif }"', "on"],
  ['"%{ for s in list ~}  <${s}> %{~ endfor }"', "<a><b>"],
  ["<<E\n a\n  ${v}\nE", " a\n  x\n"],
  ["<<-E\n    a\n      b\n    E", "a\n  b\n"],
  ["try(map.none, 5)", 5],
  ["can(map.none)", false],
  ["[{ a = 1 }, { a = 2 }][*].a", [1, 2]],
  ["max([1, 5]...)", 5],
  ["null", null],
  ["1 /* c */ + 1 # d", 2],
])("%s", (text, expected) => {
  expect(value(text)).toEqual(expected)
})

test.each<[string, HclValue]>([
  ['replace("a.b.c", ".", "-")', "a-b-c"],
  ['regex_replace("v1.2", "v(\\\\d+).*", "${"$"}1")', "1"],
  ['trimprefix("v1", "v")', "1"],
  ['format("%s-%03d", "a", 7)', "a-007"],
  ['split(",", "a,b")', ["a", "b"]],
  ['concat(list, ["c"])', ["a", "b", "c"]],
  ['compact(["a", "", null])', ["a"]],
  ['merge(map, { k = "9" })', { k: "9", l: "2" }],
  ["keys(map)", ["k", "l"]],
  [
    "setproduct([1, 2], [3])",
    [
      [1, 3],
      [2, 3],
    ],
  ],
  ["range(1, 4)", [1, 2, 3]],
  ['sha256("")', "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
  ["notequal(1, 2)", true],
  ['substr("hello", 1, 3)', "ell"],
  ["distinct([1, 1, 2])", [1, 2]],
])("the standard function %s", (text, expected) => {
  expect(value(text)).toEqual(expected)
})

test("what is wrong is told with its place", () => {
  expect(() => parseHcl('a = "open\n')).toThrow("a string is not closed")
  expect(() => parseHcl("a = <<E\n")).toThrow("the heredoc E is not closed")
  expect(() => parseHcl("target {")).toThrow("unexpected end")
  expect(() => value("nothere")).toThrow('there is no variable named "nothere"')
  expect(() => value("1 / 0")).toThrow("division by zero")
  expect(() => value("nofunction()")).toThrow('there is no function named "nofunction"')
})

test("a hostile text ends in an error, soon and with the stack whole", () => {
  const many = "[".repeat(100_000)
  expect(() => parseHcl(`a = ${many}`)).toThrow("nested too deeply")
  expect(() => parseHcl(`a = ${"!".repeat(100_000)}true`)).toThrow("nested too deeply")
  expect(() => parseHcl(`a = ${'"${'.repeat(1000)}`)).toThrow("nested too deeply")
  expect(() => parseHcl("a {".repeat(10_000))).toThrow("nested too deeply")
  expect(() => value(thousand(thousand(thousand("1"))))).toThrow("too costly")
  expect(() => value("range(1000000000)")).toThrow("a list of more than")
})
