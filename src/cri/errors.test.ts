import { expect, test } from "bun:test"
import { InvalidArgument, NotFound, SkiffError } from "../base/errors.ts"
import { statusOf } from "./errors.ts"

test("a code says what kind of failure it is, and the words what to do", () => {
  expect(statusOf(new NotFound("no such x"))).toEqual({ code: 5, details: "no such x" })
  expect(
    statusOf(
      new InvalidArgument("bad", { hint: ["expected A", { valid: ["b", "c"] }, { do: "login", registry: "r" }] }),
    ),
  ).toEqual({
    code: 3,
    details: "bad; expected A; valid: b, c",
  })
  expect(statusOf(new SkiffError("Cancelled", "late", { data: { isTimeOut: true } })).code).toBe(4)
  expect(statusOf(new AggregateError([new Error("a"), new NotFound("b")], "some failed"))).toEqual({
    code: 5,
    details: "some failed; a; b",
  })
  expect(statusOf(new TypeError("oops"))).toEqual({ code: 2, details: "oops" })
  expect(statusOf(new Error("x".repeat(10_000))).details.length).toBe(4000)
})
