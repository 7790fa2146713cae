import { expect, test } from "bun:test"
import { editDistance, nearest } from "./nearest.ts"

test("editDistance() counts one for a letter more, less, other or swapped", () => {
  expect(editDistance("run", "rn")).toBe(1)
  expect(editDistance("run", "runs")).toBe(1)
  expect(editDistance("run", "ran")).toBe(1)
  expect(editDistance("nmae", "name")).toBe(1)
  expect(editDistance("", "abc")).toBe(3)
})

test("nearest() finds what was meant, and nothing for a stranger", () => {
  expect(nearest("imgaes", ["image", "images", "pull"])).toBe("images")
  expect(nearest("hostnam", ["name", "hostname"])).toBe("hostname")
  expect(nearest("zzzzzz", ["image", "images"])).toBeUndefined()
})
