import { expect, test } from "bun:test"
import { suiteOfTag } from "./debian-tags.ts"

test.each([
  ["12", "bookworm"],
  ["12-slim", "bookworm"],
  ["13-slim", "trixie"],
  ["trixie-slim", "trixie"],
  ["bookworm", "bookworm"],
  ["stable-slim", "stable"],
  ["sid", "sid"],
  ["latest", undefined],
])("the tag %s is of the suite %s", (tag, suite) => expect(suiteOfTag(tag)).toBe(suite))

test.each(["12.5", "7", "bookworm-20240513-slim", "--help", "a b", "../x", "", "$(id)"])("%p is refused", (tag) => {
  expect(() => suiteOfTag(tag)).toThrow(expect.objectContaining({ code: "InvalidArgument" }))
})
