import { expect, test } from "bun:test"
import * as fc from "fast-check"
import { parseChallenges, type Challenge } from "./challenge.ts"
import { cpuMs } from "../../../test/support/cpu-time.ts"

const cases: [string, Challenge[]][] = [
  [
    'Bearer realm="https://a/t",service="s, x",scope="repository:a/b:pull,push"',
    [{ scheme: "bearer", parameters: { realm: "https://a/t", service: "s, x", scope: "repository:a/b:pull,push" } }],
  ],
  ["Basic realm=x", [{ scheme: "basic", parameters: { realm: "x" } }]],
  [
    'Basic realm="a \\"b\\"", Bearer realm="c"',
    [
      { scheme: "basic", parameters: { realm: 'a "b"' } },
      { scheme: "bearer", parameters: { realm: "c" } },
    ],
  ],
  [
    "Negotiate, BASIC Realm = y",
    [
      { scheme: "negotiate", parameters: {} },
      { scheme: "basic", parameters: { realm: "y" } },
    ],
  ],
  ["", []],
]

test.each(cases)("%s", (header, expected) => {
  expect(parseChallenges(header)).toEqual(expected)
})

test("any header gives a list, quickly, and touches no prototype", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary-ascii", maxLength: 300 }), (header) => {
      expect(parseChallenges(`Bearer ${header}`)).toBeArray()
    }),
  )
  const started = cpuMs()
  parseChallenges(`Bearer a="${"\\".repeat(100_000)}`)
  expect(cpuMs() - started).toBeLessThan(1_000)
  parseChallenges('Bearer __proto__="x"')
  expect(({} as Record<string, unknown>).x).toBeUndefined()
})
