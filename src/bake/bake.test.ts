import { expect, test } from "bun:test"
import { readBake, resolveBake, type BakeSource, type ResolveOptions } from "./bake.ts"

type Options = Partial<ResolveOptions>

function plan(sources: readonly BakeSource[] | string, options: Options = {}) {
  const files = typeof sources === "string" ? [{ name: "docker-bake.hcl", text: sources }] : sources
  const { environment = {} } = options
  const definition = readBake(files, { environment, directory: "/" })
  return resolveBake(definition, { names: [], overrides: [], environment, ...options })
}

function planOfA(text: string): () => unknown {
  return () => plan(text, { names: ["a"] })
}

test("a target inherits: maps and additive lists are joined, the rest is replaced", () => {
  const { target } = plan(`
    target "base" {
      args = { A = "1", B = "2" }
      tags = ["base"]
      cache-from = ["one"]
    }
    target "default" {
      inherits = ["base"]
      args = { A = "3", C = null }
      tags = ["own"]
      cache-from = ["type=local,src=x"]
    }
  `)
  expect(target.default).toEqual({
    context: ".",
    dockerfile: "Dockerfile",
    args: { A: "3", B: "2" },
    tags: ["own"],
    "cache-from": [
      { ref: "one", type: "registry" },
      { src: "x", type: "local" },
    ],
  })
})

test("variables take the environment's values in the type of their default", () => {
  const text = `
    variable "N" { default = 1 }
    variable "ON" { default = false }
    variable "L" {
      type = list(string)
      default = []
    }
    target "default" { args = { N = N + 1, ON = ON ? "y" : "n", L = join("+", L) } }
  `
  expect(plan(text).target.default?.args).toEqual({ N: "2", ON: "n", L: "" })
  const environment = { N: "4", ON: "true", L: "a,b" }
  expect(plan(text, { environment }).target.default?.args).toEqual({ N: "5", ON: "y", L: "a+b" })
  expect(() => plan(text, { environment: { N: "many" } })).toThrow("environment's N")
})

test("a refused value of a variable says why", () => {
  const text = `
    variable "V" {
      default = ""
      validation {
        condition = V != ""
        error_message = "V is needed"
      }
    }
    target "default" {}
  `
  expect(() => plan(text)).toThrow("V is needed")
  expect(plan(text, { environment: { V: "1" } }).target).toHaveProperty("default")
})

test("a matrix makes a group of one target each, by their names", () => {
  const { group, target } = plan(
    `target "app" {
       name = "app-\${os}-\${replace(v, ".", "-")}"
       matrix = { os = ["a", "b"], v = ["1.0"] }
       tags = ["app:\${os}\${v}"]
     }`,
    { names: ["app"] },
  )
  expect(group).toEqual({ app: { targets: ["app-a-1-0", "app-b-1-0"] }, default: { targets: ["app"] } })
  expect(target["app-b-1-0"]?.tags).toEqual(["app:b1.0"])
})

test("files in JSON are laid over each other, and their strings are templates", () => {
  const base = { variable: { T: { default: "1" } }, target: { default: { tags: ["x:${T}"], args: { A: "a" } } } }
  const over = { target: { default: { args: { B: '${join(",", ["b", T])}' } } } }
  const sources = [base, over].map((one, at) => ({ name: `${at}.json`, text: JSON.stringify(one) }))
  expect(plan(sources).target.default).toMatchObject({ tags: ["x:1"], args: { A: "a", B: "b,1" } })
})

test("overrides change the targets that their pattern names; a list is set, += adds", () => {
  const text = `target "a-1" { tags = ["old"] }
                target "b" { tags = ["old"] }`
  const { target } = plan(text, {
    names: ["*"],
    overrides: ["a*.tags=x", "a-1.tags=y", "b.tags+=z", "*.args.K=v", "b.platform=linux/arm64"],
  })
  expect(target).toMatchObject({
    "a-1": { tags: ["x", "y"], args: { K: "v" } },
    b: { tags: ["old", "z"], args: { K: "v" }, platforms: ["linux/arm64"] },
  })
  expect(() => plan(text, { names: ["b"], overrides: ["zz.args.A=1"] })).toThrow("any target matching 'zz'")
  expect(() => plan(text, { names: ["b"], overrides: ["b.what=1"] })).toThrow("unknown key: what")
})

test("a context that is another target brings it along, for the cache alone", () => {
  const { target, linked } = plan(
    `target "base" {}
     target "app" { contexts = { b = "target:base" } }`,
    { names: ["app"] },
  )
  expect(linked).toEqual(["base"])
  expect(target.base?.output).toEqual([{ type: "cacheonly" }])
})

test("circles of parents, contexts, variables and functions are refused", () => {
  expect(planOfA(`target "a" { inherits = ["b"] }\n target "b" { inherits = ["a"] }`)).toThrow("inherits from itself")
  expect(
    planOfA(`target "a" { contexts = { x = "target:b" } }\n target "b" { contexts = { x = "target:a" } }`),
  ).toThrow("infinite loop")
  expect(planOfA(`variable "V" { default = W }\n variable "W" { default = V }\n target "a" {}`)).toThrow(
    "depends on itself",
  )
  const endless = `function "f" {\n params = []\n result = f()\n}\n target "a" { tags = [f()] }`
  expect(planOfA(endless)).toThrow("nested too deeply")
})

test("errors name the file and the line", () => {
  expect(() => plan('target "a" {\n  nothere = 1\n}', { names: ["a"] })).toThrow(
    'docker-bake.hcl:2: a target has no "nothere"',
  )
  expect(() => plan('target "a" {}', { names: ["b"] })).toThrow("failed to find target b")
})
