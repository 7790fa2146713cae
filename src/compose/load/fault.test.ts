import { expect, test } from "bun:test"
import { fault } from "./fault.ts"

const source = { name: "/p/compose.yaml", text: "services:\n  a:\n    image: [x]\n    scale: 1\n" }

test("a fault says docker's words first, then where, then the line", () => {
  const error = fault("services.a.image must be a string", { file: source.name, line: 3, column: 12, source })
  expect(error.code).toBe("InvalidArgument")
  expect(error.message).toBe(
    [
      "services.a.image must be a string",
      "  /p/compose.yaml:3:12",
      "   1 |     services:",
      "   2 |       a:",
      "   3 | >>>     image: [x]",
      "   4 |         scale: 1",
    ].join("\n"),
  )
  expect(error.data.origin).toEqual({ file: "/p/compose.yaml", line: 3, column: 12 })
})

test("a fault without a place says its words alone", () => {
  const error = fault("project name must not be empty", undefined, { code: "NotFound", hint: "name it" })
  expect(error).toMatchObject({
    message: "project name must not be empty",
    code: "NotFound",
    hint: "name it",
    data: {},
  })
})
