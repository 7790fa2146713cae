import { describe, expect, test } from "bun:test"
import { assert, constantFrom, option, property, record, uniqueArray } from "fast-check"
import { strategicPatch } from "../api/patch/strategic.ts"
import { findDefinition } from "../api/schema/schema.ts"
import type { Tree } from "../field.ts"
import { strategicDifference } from "./three-way.ts"

const DEPLOYMENT = findDefinition("apps.v1.Deployment")
if (DEPLOYMENT === undefined) throw new Error("there is no schema of Deployment")
const difference = (original: unknown, modified: unknown, current: unknown): Tree | undefined =>
  strategicDifference({ original, modified, current }, DEPLOYMENT)
const containers = (...list: object[]): Tree => ({ spec: { template: { spec: { containers: list } } } })

describe("the patch of what was applied, what is wanted and what is there", () => {
  test("nothing, where what is wanted is there with more beside it", () => {
    const wanted = containers({ name: "a", image: "x" })
    const live = {
      ...containers({ name: "a", image: "x", imagePullPolicy: "Always" }, { name: "injected" }),
      status: { replicas: 1 },
    }
    expect(difference(wanted, wanted, live)).toBeUndefined()
  })

  test("what is no longer wanted goes, what others have added stays", () => {
    const before = {
      ...containers({ name: "a", image: "x" }, { name: "b", image: "y" }),
      metadata: { labels: { one: "1", two: "2" } },
    }
    const wanted = { ...containers({ name: "a", image: "x2" }), metadata: { labels: { one: "1" } } }
    const live = { ...before, metadata: { labels: { one: "1", two: "2", other: "3" } } }
    expect(difference(before, wanted, live)).toEqual({
      metadata: { labels: { two: null } },
      spec: {
        template: {
          spec: {
            "$setElementOrder/containers": [{ name: "a" }],
            containers: [
              { name: "a", image: "x2" },
              { $patch: "delete", name: "b" },
            ],
          },
        },
      },
    })
  })

  test("a strategy that is another one keeps nothing of the first", () => {
    const before = { spec: { strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1 } } } }
    const wanted = { spec: { strategy: { type: "Recreate" } } }
    const patch = difference(before, wanted, before)
    expect(patch).toMatchObject({ spec: { strategy: { $retainKeys: ["type"], type: "Recreate" } } })
    expect(strategicPatch(before, patch, DEPLOYMENT)).toEqual(wanted)
  })

  test("applied to what is there it gives what is wanted, whatever both are, and nothing is left to do then", () => {
    const env = uniqueArray(record({ name: constantFrom("A", "B", "C"), value: constantFrom("1", "2") }), {
      selector: ({ name }) => name,
      maxLength: 3,
    })
    const container = record({
      name: constantFrom("a", "b", "c"),
      image: constantFrom("x", "y"),
      env: option(env, { nil: undefined }),
    })
    const object = uniqueArray(container, { selector: ({ name }) => name, minLength: 1, maxLength: 3 }).map(
      (list) => JSON.parse(JSON.stringify(containers(...list))) as Tree,
    )
    assert(
      property(object, object, (before, wanted) => {
        const patch = difference(before, wanted, before)
        const made = patch === undefined ? before : strategicPatch(before, patch, DEPLOYMENT)
        expect(difference(wanted, wanted, made)).toBeUndefined()
        expect(difference(made, wanted, made)).toBeUndefined()
      }),
      { numRuns: 300 },
    )
  })
})
