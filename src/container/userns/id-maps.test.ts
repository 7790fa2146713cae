import { describe, expect, test } from "bun:test"
import {
  autoMap,
  checkIdMap,
  commonRanges,
  consecutive,
  cutByRanges,
  exchangedWithRoot,
  freeRange,
  fromHost,
  keepId,
  outsideOf,
  parseIdMap,
} from "./id-maps.ts"

const line = (inside: number, outside: number, count: number) => ({ inside, outside, count })

test("the kernel's text is read", () => {
  expect(parseIdMap("         0       1000          1\n         1     100000      65536\n")).toEqual([
    line(0, 1000, 1),
    line(1, 100_000, 65_536),
  ])
})

describe("keepId()", () => {
  test("the caller is himself, and all other ids fill up the rest", () => {
    expect(keepId(1000, 65_537)).toEqual([line(0, 1, 1000), line(1000, 0, 1), line(1001, 1001, 64_536)])
    expect(keepId(0, 100)).toEqual([line(0, 0, 1), line(1, 1, 99)])
  })

  test("an id beyond all that there are leaves a gap", () => {
    expect(keepId(70_000, 100)).toEqual([line(0, 1, 99), line(70_000, 0, 1)])
    expect(keepId(5, 1)).toEqual([line(5, 0, 1)])
  })

  test.each([0, 1, 50, 99, 100, 5000])("each of 100 ids is mapped once, with the caller as %i", (id) => {
    const map = keepId(id, 100)
    checkIdMap(map, "x")
    expect(map.reduce((sum, { count }) => sum + count, 0)).toBe(100)
    expect(outsideOf(map, id)).toBe(0)
  })
})

describe("freeRange()", () => {
  const available = [
    { first: 100, count: 50 },
    { first: 1000, count: 1000 },
  ]

  test("is the lowest that touches nobody's", () => {
    expect(freeRange(available, [], 50)).toEqual({ first: 100, count: 50 })
    expect(freeRange(available, [{ first: 110, count: 10 }], 50)).toEqual({ first: 1000, count: 50 })
    expect(freeRange(available, [{ first: 110, count: 10 }], 30)).toEqual({ first: 120, count: 30 })
  })

  test("uses gaps, and refuses when there is none", () => {
    const taken = [
      { first: 1500, count: 500 },
      { first: 1000, count: 100 },
    ]
    expect(freeRange(available, taken, 400)).toEqual({ first: 1100, count: 400 })
    expect(() => freeRange(available, taken, 401)).toThrow("no 401 ids are left")
  })
})

test("an automatic map leaves the given lines as they are", () => {
  expect(autoMap({ first: 5000, count: 100 }, 100)).toEqual([line(0, 5000, 100)])
  expect(autoMap({ first: 5000, count: 100 }, 100, [line(10, 0, 1)])).toEqual([
    line(0, 5000, 10),
    line(10, 0, 1),
    line(11, 5010, 89),
  ])
})

test("ranges follow each other, and what two have in common is found", () => {
  expect(
    consecutive([
      { first: 9, count: 3 },
      { first: 20, count: 2 },
    ]),
  ).toEqual([line(0, 9, 3), line(3, 20, 2)])
  expect(commonRanges([{ first: 0, count: 10 }], [{ first: 5, count: 10 }])).toEqual([{ first: 5, count: 5 }])
  expect(commonRanges([{ first: 0, count: 5 }], [{ first: 5, count: 10 }])).toEqual([])
})

test("ids of the host are found among the engine's", () => {
  const own = [line(0, 1000, 1), line(1, 100_000, 65_536)]
  const host = (inside: number, outside: number, count: number) => ({ ...line(inside, outside, count), ofHost: true })
  expect(fromHost([host(5, 1000, 1), host(6, 100_010, 10), line(50, 7, 1)], own)).toEqual([
    line(5, 0, 1),
    line(6, 11, 10),
    line(50, 7, 1),
  ])
  expect(() => fromHost([host(0, 0, 1)], own)).toThrow("from 0 on are not yours")
})

test.each([
  [[], "has 1 to 340 lines"],
  [[line(0, 100, 0)], "invalid map of ids"],
  [[line(0, 4_294_967_295, 1)], "invalid map of ids"],
  [[line(0, 100, 10), line(9, 300, 1)], "names 9 inside twice"],
  [[line(0, 100, 10), line(20, 105, 1)], "names 105 outside twice"],
])("a map that the kernel would not take is refused: %j", (map, message) => {
  expect(() => checkIdMap(map, "x")).toThrow(message)
})

test("the caller and an id change places, and lines do not span ranges of the engine's", () => {
  const own = [line(0, 1000, 1), line(1, 100_000, 65_536), line(65_537, 300_000, 10)]
  expect(exchangedWithRoot(2, 10)).toEqual([line(0, 2, 1), line(1, 1, 1), line(2, 0, 1), line(3, 3, 7)])
  expect(cutByRanges(exchangedWithRoot(0, 65_547), own)).toEqual([
    line(0, 0, 1),
    line(1, 1, 65_536),
    line(65_537, 65_537, 10),
  ])
  expect(cutByRanges([line(7, 5, 3)], own)).toEqual([line(7, 5, 3)])
})
