import { describe, expect, test } from "bun:test"
import { assert, integer, nat, property } from "fast-check"
import { drawing, DRAWINGS } from "./slots.ts"

const names = (count: number, first = 0): string[] => Array.from({ length: count }, (_, index) => `e${first + index}`)
const changes = (before: readonly string[], after: readonly string[]): number =>
  after.filter((owner, index) => before[index] !== owner).length + Math.max(0, before.length - after.length)

describe("a drawing of lots", () => {
  test("gives each endpoint an equal share, of a size that there is a chain for, whatever was before", () => {
    assert(
      property(integer({ min: 1, max: 400 }), integer({ min: 0, max: 400 }), nat(50), (count, old, shift) => {
        const wanted = names(count, shift)
        const slots = drawing(drawing([], names(old)), wanted)
        expect(DRAWINGS).toContain(slots.length)
        const counts = wanted.map((name) => slots.filter((owner) => owner === name).length)
        expect(counts.reduce((sum, one) => sum + one, 0)).toBe(slots.length)
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
      }),
    )
  })

  test("of a few changes one number for one more, and one or two for one less", () => {
    const three = drawing([], names(3))
    expect(changes(three, drawing(three, names(4)))).toBe(1)
    expect(drawing(three, ["e0", "e2"])).toEqual(["e0", "e2"])
  })

  test("of a thousand changes some numbers for one more or one less", () => {
    const thousand = drawing([], names(1000))
    expect(thousand.length).toBe(8192)
    const more = drawing(thousand, names(1001))
    expect(changes(thousand, more)).toBeLessThanOrEqual(10)
    expect(changes(more, drawing(more, names(1000)))).toBeLessThanOrEqual(10)
  })

  test("whose callers stay takes a share of them for one more of a few, and moves nobody else", () => {
    const isStable = { isStable: true }
    const two = drawing([], names(2), isStable)
    expect(two).toHaveLength(128)
    const three = drawing(two, names(3), isStable)
    expect(changes(two, three)).toBeLessThanOrEqual(43)
    const back = drawing(three, names(2), isStable)
    expect(three.every((owner, index) => owner === "e2" || back[index] === owner)).toBe(true)
    expect(drawing(three, [], isStable)).toEqual([])
  })

  test("is empty for nobody", () => {
    expect(drawing(names(3), [])).toEqual([])
  })
})
