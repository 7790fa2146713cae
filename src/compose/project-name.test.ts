import { expect, test } from "bun:test"
import { checkProjectName } from "./project-name.ts"

test.each(["a", "0", "web_1-b"])("checkProjectName() takes %s", (name) => {
  expect(checkProjectName(name)).toBeUndefined()
})

test.each(["", "A", "-a", "_a", "a.b", "a b", "a/../b", "a\nb"])("checkProjectName() refuses %j", (name) => {
  expect(() => checkProjectName(name)).toThrow(`invalid project name "${name}"`)
})
