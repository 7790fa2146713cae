import { expect, test } from "bun:test"
import { castScalars } from "./cast.ts"
import { checkSchema } from "./schema.ts"
import type { Tree, TreeMap } from "./tree.ts"

const check = (tree: TreeMap) => checkSchema(tree, "/f.yaml")
const service = (keys: TreeMap): TreeMap => ({ services: { a: { image: "x", ...keys } } })

// what docker compose 2.40.3 says of each
test.each<[TreeMap, string]>([
  [service({ image: 3 }), "services.a.image must be a string"],
  [service({ environment: 3 }), "services.a.environment must be a mapping"],
  [service({ environment: { A: [1] } }), "services.a.environment.A must be a boolean, null, number or string"],
  [service({ ports: 3 }), "services.a.ports must be a array"],
  [service({ ports: [[1]] }), "services.a.ports.0 must be a number"],
  [service({ ports: [{ target: 1, foo: 2 }] }), "services.a.ports.0 additional properties 'foo' not allowed"],
  [service({ scale: 1.5 }), "services.a.scale must be a integer or string"],
  [
    service({ depends_on: { b: { condition: "foo" } } }),
    "services.a.depends_on.b.condition value must be one of 'service_started', 'service_healthy', 'service_completed_successfully'",
  ],
  [service({ depends_on: { b: {} } }), "services.a.depends_on.b missing property 'condition'"],
  [service({ cpu_percent: 200 }), "services.a.cpu_percent must be a string"],
  [
    service({ container_name: "-" }),
    "services.a.container_name '-' does not match pattern '[a-zA-Z0-9][a-zA-Z0-9_.-]+'",
  ],
  [service({ foo: 1, bar: 2 }), "services.a additional properties 'bar', 'foo' not allowed"],
  [service({ gpus: "none" }), "services.a.gpus value must be 'all'"],
  [service({ volumes_from: ["b", "b"] }), "services.a.volumes_from items at 0 and 1 are equal"],
  [service({ environment: { G: new Date(0) } }), "services.a.environment.G invalid jsonType time.Time"],
  [{ services: { a: null } }, "services.a must be a mapping"],
  [{ services: { "a/b": { image: "x" } } }, "services additional properties 'a/b' not allowed"],
  [{ name: 3 }, "name must be a string"],
  [{ foo: 1 }, " additional properties 'foo' not allowed"],
])("%j is refused", (tree, message) => {
  expect(() => check(tree)).toThrow(`validating /f.yaml: ${message}`)
})

test("an unknown key is told with the nearest known one", () => {
  try {
    check(service({ enviroment: {} }))
    throw new Error("not refused")
  } catch (error) {
    expect(error).toMatchObject({ code: "InvalidArgument", hint: 'did you mean "environment"?' })
  }
})

test.each<[Tree]>([[{ A: null }], [["A"]], [{ A: 1.5, B: true }], [[]]])("environment %j fits", (environment) => {
  expect(() => check(service({ environment }))).not.toThrow()
})

test("texts are made numbers and booleans where such belong, with a warning for YAML 1.1's words", () => {
  const tree = service({ tty: "yes", scale: "3", cpus: "0.5", hostname: "1", ports: [{ target: "80" }] })
  const warnings: string[] = []
  castScalars(tree, ({ message }) => warnings.push(message))
  expect(tree).toEqual(service({ tty: true, scale: 3, cpus: 0.5, hostname: "1", ports: [{ target: 80 }] }))
  expect(warnings).toEqual(['"yes" for boolean is not supported by YAML 1.2, please use `true`'])
})

test.each<[TreeMap, string]>([
  [{ tty: "maybe" }, "services.a.tty: failed to cast to expected type: invalid boolean: maybe"],
  [{ scale: "x" }, 'services.a.scale: failed to cast to expected type: strconv.Atoi: parsing "x": invalid syntax'],
  [
    { ports: [{ target: "80-81" }] },
    'services.a.ports.[].target: failed to cast to expected type: strconv.Atoi: parsing "80-81": invalid syntax',
  ],
])("%j cannot be cast", (keys, message) => {
  expect(() => castScalars(service(keys), () => {})).toThrow(`error while interpolating ${message}`)
})
