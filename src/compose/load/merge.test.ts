import { expect, test } from "bun:test"
import { mergeDocuments, mergeServices } from "./merge.ts"
import type { Tree, TreeMap } from "./tree.ts"

const network = (config: Tree): TreeMap => ({ networks: { n: { ipam: { config } } } })
const service = (keys: TreeMap): TreeMap => ({ services: { a: keys } })

function merged(key: string, base: Tree, over: Tree): Tree | undefined {
  const { services } = mergeDocuments(service({ [key]: base }), service({ [key]: over }))
  return ((services as TreeMap).a as TreeMap)[key]
}

// as docker compose 2.40.3 merges them, by `-f one -f two config --no-interpolate`
test.each<[string, Tree, Tree, Tree]>([
  ["image", "one", "two", "two"],
  ["command", ["a"], "b c", "b c"],
  ["environment", { A: 1, B: null }, ["B=3", "C"], ["A=1", "B", "B=3", "C"]],
  ["labels", ["a=1"], { c: 6, b: 1.5 }, ["a=1", "b=1.5", "c=6"]],
  ["dns", "1.1.1.1", ["2.2.2.2"], ["1.1.1.1", "2.2.2.2"]],
  ["extra_hosts", ["a:1", "b=2"], { b: "2", a: ["3", "4"] }, ["a:1", "b=2", "a=3", "a=4"]],
  [
    "depends_on",
    ["b"],
    { b: { condition: "service_healthy" } },
    { b: { condition: "service_healthy", required: true } },
  ],
  ["networks", ["n"], { n: { priority: 1 }, o: null }, { n: { priority: 1 }, o: null }],
  ["build", "./x", { dockerfile: "D" }, { context: "./x", dockerfile: "D" }],
  ["logging", { driver: "x", options: { a: 1 } }, { options: { b: 2 } }, { driver: "x", options: { a: 1, b: 2 } }],
  ["logging", { driver: "x", options: { a: 1 } }, { driver: "y" }, { driver: "y" }],
  [
    "ulimits",
    { n: 3, m: { soft: 1, hard: 2 } },
    { n: { soft: 1, hard: 2 }, m: { hard: 5 } },
    { n: { soft: 1, hard: 2 }, m: { soft: 1, hard: 5 } },
  ],
  ["security_opt", ["a"], ["a", "b"], ["a", "a", "b"]],
  ["x-other", { a: 1 }, { b: 2 }, { a: 1, b: 2 }],
  ["tty", true, null, true],
])("%s of two files", (key, base, over, expected) => {
  expect(merged(key, base, over)).toEqual(expected)
})

test("subnets of a network merge by their address", () => {
  const two = mergeDocuments(
    network([{ subnet: "10.0.0.0/8" }]),
    network([{ subnet: "10.0.0.0/8", gateway: "10.0.0.1" }, { subnet: "11.0.0.0/8" }]),
  )
  expect(two).toEqual(network([{ subnet: "10.0.0.0/8", gateway: "10.0.0.1" }, { subnet: "11.0.0.0/8" }]))
})

test("neither file is changed, and the result shares nothing with them", () => {
  const base = service({ labels: { a: 1 }, build: { args: { A: 1 } } })
  const own = { build: { args: { B: 2 } } }
  const before = structuredClone(base)
  const result = mergeDocuments(base, { services: { b: own } })
  ;((result.services as TreeMap).a as TreeMap).labels = "changed"
  expect(base).toEqual(before)
  expect(mergeServices({ image: "x" }, own)).toEqual({ image: "x", build: { args: { B: 2 } } })
})

test("a list over a map is refused in docker's words", () => {
  expect(() => merged("credential_spec", { file: "x" }, ["y"])).toThrow("cannot override services.a.credential_spec")
})

test("a key __proto__ is a key", () => {
  const other: TreeMap = JSON.parse('{"x-a":{"__proto__":{"polluted":1}}}')
  const result = mergeDocuments({ "x-a": {} }, other)
  expect(Object.keys(result["x-a"] as TreeMap)).toEqual(["__proto__"])
  expect(({} as Record<string, unknown>).polluted).toBeUndefined()
})
