import { describe, expect, test } from "bun:test"
import * as fc from "fast-check"
import { isSkiffError } from "../../base/errors.ts"
import { parseCacheMap, type CacheMap, type MapMount, type MapStep } from "./cache-map.ts"

const step = (changes: object = {}): MapStep => ({
  keys: ["a".repeat(64)],
  layer: 0,
  slot: "[1/2]",
  description: "RUN true",
  parts: [["the step before it", "b".repeat(32)]],
  created: 1_700_000_000_000,
  ...changes,
})
const mount = (changes: object = {}): MapMount => ({
  key: "c".repeat(64),
  layer: 0,
  mode: 0o755,
  uid: 0,
  gid: 0,
  ...changes,
})
const map = (changes: object = {}): CacheMap => ({
  layers: [`sha256:${"d".repeat(64)}` as never],
  steps: [step()],
  mounts: [mount()],
  ...changes,
})

/** As it comes: through JSON. */
const parse = (document: unknown, layers = 1) => parseCacheMap(JSON.parse(JSON.stringify(document)), layers, "map")

describe("parseCacheMap()", () => {
  test("takes what we write", () => {
    expect(parse(map())).toEqual(map())
    const chain = map({ steps: [step(), step({ parent: 0 }), step({ parent: 0 })] })
    expect(parse(chain)).toEqual(chain)
  })

  test.each<[string, unknown, string]>([
    ["no map", {}, "layers"],
    ["a layer that is no digest", map({ layers: ["sha256:../../etc/passwd"] }), "expected sha256"],
    ["a layer that there is not", map({ steps: [step({ layer: 1 })] }), "layer 1 of 1"],
    ["a negative layer", map({ steps: [step({ layer: -1 })] }), "steps.0.layer"],
    ["a layer between two", map({ steps: [step({ layer: 0.5 })] }), "steps.0.layer"],
    ["a step that stands on itself", map({ steps: [step({ parent: 0 })] }), "comes later"],
    ["steps in a circle", map({ steps: [step({ parent: 1 }), step({ parent: 0 })] }), "comes later"],
    ["a key that is a path", map({ steps: [step({ keys: ["../".repeat(21)] })] }), "64 hex digits"],
    [
      "more keys than a step can have",
      map({ steps: [step({ keys: Array.from({ length: 1_001 }, () => "a".repeat(64)) })] }),
      "steps.0.keys",
    ],
    [
      "more steps than a build has",
      map({ steps: Array.from({ length: 10_001 }, () => step()) }),
      "more than 10000 steps",
    ],
    [
      "a chain that no overlay takes",
      map({ steps: Array.from({ length: 501 }, (_, i) => step(i ? { parent: i - 1 } : {})) }),
      "more than 500 steps depend",
    ],
    ["a step without parts", map({ steps: [step({ parts: [] })] }), "steps.0.parts"],
    ["a part that is no digest", map({ steps: [step({ parts: [["x", "y"]] })] }), "32 hex digits"],
    ["a time that no date has", map({ steps: [step({ created: 8.7e15 })] }), "steps.0.created"],
    ["a mount whose name is a path", map({ mounts: [mount({ key: "../../x" })] }), "64 hex digits"],
    ["a mount without a layer", map({ mounts: [mount({ layer: 7 })] }), "layer 7 of 1"],
    ["a mode that is none", map({ mounts: [mount({ mode: 0o10000 })] }), "mounts.0.mode"],
    ["an owner that is none", map({ mounts: [mount({ uid: 2 ** 32 - 1 })] }), "mounts.0.uid"],
  ])("refuses %s", (_, document, message) => expect(() => parse(document)).toThrow(message))

  test("what comes to a terminal has no control characters", () => {
    const text = "a\u001b]0;x\u0007b\u009b31m\nc"
    const { steps } = parse(map({ steps: [step({ slot: text, description: text, parts: [[text, "b".repeat(32)]] })] }))
    for (const shown of [steps[0]?.slot, steps[0]?.description, steps[0]?.parts[0]?.[0]])
      expect(shown).toBe("a ]0;x b 31m c")
  })

  test("whatever comes is a map or a typed error", () => {
    const mutated = fc
      .tuple(fc.constantFrom("layers", "steps", "mounts"), fc.jsonValue())
      .map(([key, value]) => map({ [key]: value }))
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), mutated), (document) => {
        try {
          parse(document)
        } catch (error) {
          expect(isSkiffError(error, "DataLoss")).toBe(true)
        }
      }),
      { numRuns: 2_000 },
    )
  })
})
