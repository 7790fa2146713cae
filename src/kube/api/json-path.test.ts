import { describe, expect, test } from "bun:test"
import { JsonPathError, jsonPathText, jsonPathValue } from "./json-path.ts"

const LIST = {
  kind: "List",
  items: [
    {
      metadata: { name: "a", labels: { "app.kubernetes.io/name": "x" } },
      status: {
        ready: true,
        count: 1,
        addresses: [
          { type: "IP", ip: "1.1.1.1" },
          { type: "DNS", ip: "a.b" },
        ],
      },
    },
    { metadata: { name: "b" }, status: { ready: false, count: 3, addresses: [] } },
  ],
}

describe("a template of JSONPath is filled in as kubectl fills it in", () => {
  test.each([
    ["{.kind}", "List"],
    ["{$.kind}", "List"],
    ["{.items[0].metadata.name}", "a"],
    ["{.items[-1].metadata.name}", "b"],
    ["{.items[*].metadata.name}", "a b"],
    ["{.items[0:1].metadata.name}", "a"],
    ["{.items[0,1].metadata.name}", "a b"],
    ["{.items[*]['metadata', 'status'].count}", "1 3"],
    ["{..name}", "a b"],
    ['{.items[?(@.metadata.name=="b")].status.count}', "3"],
    ["{.items[?(@.status.count>1)].metadata.name}", "b"],
    ["{.items[?(@.status.ready==true)].metadata.name}", "a"],
    ["{.items[?(@.metadata.labels)].metadata.name}", "a"],
    ["{.items[0].metadata.labels.app\\.kubernetes\\.io/name}", "x"],
    ["{.items[0].metadata.labels['app.kubernetes.io/name']}", "x"],
    ['{range .items[*]}{.metadata.name}{"\\t"}{.status.count}{"\\n"}{end}', "a\t1\nb\t3\n"],
    ["{.items[0].status.addresses}", '[{"type":"IP","ip":"1.1.1.1"},{"type":"DNS","ip":"a.b"}]'],
    ["name: {.kind}!", "name: List!"],
    ["{.nothing}", ""],
    ["{.items[7].metadata.name}", ""],
    ["{.constructor}{.__proto__}", ""],
  ])("%s", (template, text) => expect(jsonPathText(template, LIST)).toBe(text))

  test.each(["{.items[}", "{range .items[*]}x", "{end}", "{.items[?(@.a]}", "{'x}", "{.a", "{.items[abc]}"])(
    "%s is refused",
    (template) => expect(() => jsonPathText(template, LIST)).toThrow(JsonPathError),
  )

  test("a path alone may do without braces", () => {
    expect(jsonPathValue(LIST, ".items[1].status.count")).toBe(3)
    expect(jsonPathValue(LIST, "kind")).toBe("List")
  })
})
