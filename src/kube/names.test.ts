import { expect, test } from "bun:test"
import { hostVolumeName, kubeName } from "./names.ts"

test.each([
  ["a_web", "aweb"],
  ["Web.1", "web.1"],
  ["-x-", "x"],
  ["___", "unnamed"],
  ["a".repeat(80), "a".repeat(63)],
  ["é b", "b"],
])("%s is called %s", (name, expected) => {
  expect(kubeName(name)).toBe(expected)
})

test("a path of the host names its volume", () => {
  expect(hostVolumeName("/", 0)).toBe("root-host-0")
  expect(hostVolumeName("/tmp/My_data.d/", 2)).toBe("tmp-mydata-d-host-2")
})
