import { expect, test } from "bun:test"
import { needPrograms } from "./support/programs.ts"

test("a program that is not there is named, with what installs it", () => {
  expect(() => needPrograms("sh", "no-such-tool", "cat", "nor-this")).toThrow(
    "not installed: no-such-tool, nor-this; sh scripts/packages.sh test",
  )
  needPrograms("sh", "cat")
})
