import { describe, expect, test } from "bun:test"
import type { Figures } from "./figures.ts"
import { checkRules, DEFAULT_RULES } from "./rules.ts"

// those of dive's own test image
const figures: Figures = {
  efficiency: 0.9844212134184309,
  sizeBytes: 1220598,
  userBytes: 66237,
  wastedBytes: 32025,
  wastedUserPercent: 32025 / 66237,
  inefficiencies: [],
}
const statuses = (lowestEfficiency: string, highestWastedBytes: string, highestUserWastedPercent: string) =>
  checkRules(figures, { lowestEfficiency, highestWastedBytes, highestUserWastedPercent })
    .toSorted((a, b) => (a.name > b.name ? -1 : 1))
    .map(({ status }) => status)

describe("checkRules()", () => {
  test.each([
    ["0.99", "1B", "0.01", ["fail", "fail", "fail"]],
    ["0.9", "50kB", "0.5", ["pass", "pass", "pass"]],
    ["disabled", "off", "", ["skip", "skip", "skip"]],
    ["0.9", "1B", "0.5", ["pass", "fail", "pass"]],
    ["0.9844212134184309", "32025", "0.9", ["pass", "pass", "pass"]],
    ["0.9", "31.3KiB", "0.9", ["pass", "pass", "pass"]],
    ["0.9", "32kB", "0.9", ["pass", "fail", "pass"]],
  ])("%s %s %s", (efficiency, bytes, percent, expected) => {
    const found = statuses(efficiency, bytes, percent)
    expect(found).toEqual(expected as typeof found)
  })

  test.each([
    ["1.1", "50kB", "0.5"],
    ["-0.1", "50kB", "0.5"],
    ["not_a_number", "50kB", "0.5"],
    ["0.9", "not_a_size", "0.5"],
    ["0.9", "50kB", "1.1"],
    ["0.9", "50kB", "x"],
  ])("refuses %s %s %s", (efficiency, bytes, percent) => {
    expect(() => statuses(efficiency, bytes, percent)).toThrow(/invalid (?:lowest|highest)/)
  })

  test("has dive's defaults", () => {
    expect(checkRules(figures, DEFAULT_RULES).map(({ name, status }) => `${name} ${status}`)).toEqual([
      "highestUserWastedPercent fail",
      "highestWastedBytes skip",
      "lowestEfficiency pass",
    ])
  })
})
