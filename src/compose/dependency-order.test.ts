import { describe, expect, test } from "bun:test"
import { checkServices, inDependencyOrder, selectServices } from "./dependency-order.ts"
import type { Project, Service } from "./project.ts"

const on = (...names: string[]): Service => ({
  depends_on: Object.fromEntries(names.map((name) => [name, { condition: "service_started", required: true }])),
})
const SHOP = { web: on("api"), api: on("db", "cache"), db: {}, cache: {}, mail: {} }

/** What began and ended, in order. */
async function walk(services: Record<string, Service>, options: Parameters<typeof inDependencyOrder>[2] = {}) {
  const told: string[] = []
  const visit = async (name: string) => {
    told.push(`+${name}`)
    await Promise.resolve()
    told.push(`-${name}`)
  }
  await inDependencyOrder(services, visit, options)
  return told
}

describe("inDependencyOrder()", () => {
  test("begins what depends on nothing at once, and the others when theirs are done", async () => {
    const told = await walk(SHOP)
    expect(told.slice(0, 3).toSorted()).toEqual(["+cache", "+db", "+mail"])
    expect(told.indexOf("+api")).toBeGreaterThan(Math.max(told.indexOf("-db"), told.indexOf("-cache")))
    expect(told.indexOf("+web")).toBeGreaterThan(told.indexOf("-api"))
    expect(told).toHaveLength(10)
  })

  test("goes the other way round", async () => {
    const told = await walk(SHOP, { reverse: true })
    expect(told.indexOf("+api")).toBeGreaterThan(told.indexOf("-web"))
    expect(told.indexOf("+db")).toBeGreaterThan(told.indexOf("-api"))
  })

  test("has no more at once than it may", async () => {
    expect(await walk({ a: {}, b: {}, c: {} }, { limit: 1 })).toEqual(["+a", "-a", "+b", "-b", "+c", "-c"])
  })

  test("begins nothing after a failure, and throws it when what was begun is done", async () => {
    const told: string[] = []
    const visit = async (name: string) => {
      if (name === "cache") throw new Error("no cache")
      await Promise.resolve().then(() => Promise.resolve())
      told.push(name)
    }
    await expect(inDependencyOrder(SHOP, visit)).rejects.toThrow("no cache")
    expect(told.toSorted()).toEqual(["db", "mail"])
  })

  test("breaks a circle of labels", async () => {
    expect(await walk({ a: on("b"), b: on("a", "gone") })).toEqual(["+a", "-a", "+b", "-b"])
  })
})

describe("selectServices()", () => {
  const project = { services: SHOP } as unknown as Project
  const keys = (names: string[], along: Parameters<typeof selectServices>[2]) =>
    Object.keys(selectServices(project, names, along).services).toSorted()

  test("keeps what is named, with what it depends on, or what depends on it", () => {
    expect(keys(["api"], "nothing")).toEqual(["api"])
    expect(keys(["api"], "dependencies")).toEqual(["api", "cache", "db"])
    expect(keys(["db"], "dependents")).toEqual(["api", "db", "web"])
    expect(keys([], "nothing")).toHaveLength(5)
  })

  test("refuses what is not there", () => {
    expect(() => checkServices(project, ["web", "wbe"])).toThrow("no such service: wbe")
    expect(() => checkServices(project, ["toString"])).toThrow("no such service: toString")
  })
})
