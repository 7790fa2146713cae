import { describe, expect, test } from "bun:test"
import { hostOf, passedOn, targetOf } from "./request-head.ts"

describe("a request's head", () => {
  test.each([
    ["/", "/", ""],
    ["/a/b?c=/../d", "/a/b", "?c=/../d"],
    ["http://x/y?z", "/y", "?z"],
    ["http://x", "/", ""],
    ["/..a/...", "/..a/...", ""],
  ])("has the target %s", (target, path, query) => expect(targetOf(target)).toEqual({ path, query }))

  test.each(["*", "a", "", "/a/../b", "/a/%2e%2E/b", "/.", "/a%2f..%2fb", "/a\\..\\b", "/a b", "/a#b", "/x%5c..%5cy"])(
    "has no target %p",
    (target) => expect(() => targetOf(target)).toThrow(expect.objectContaining({ status: 400 })),
  )

  test("names one host", () => {
    expect(hostOf(["Host", "Web.Example:8080"], undefined)).toEqual({ host: "web.example", full: "Web.Example:8080" })
    expect(hostOf([], "web.example")).toEqual({ host: "web.example", full: "web.example" })
    for (const raw of [
      ["Host", "a", "host", "b"],
      [],
      ["Host", ""],
      ["Host", "a/b"],
      ["Host", "a@b"],
      ["Host", "a\tb"],
    ])
      expect(() => hostOf(raw, undefined)).toThrow(expect.objectContaining({ status: 400 }))
    expect(() => hostOf(["host", "b"], "a")).toThrow(expect.objectContaining({ status: 400 }))
  })

  test("loses what is of one connection, also what that names, and what callers say of themselves", () => {
    expect(
      passedOn({
        connection: "close, X-Secret",
        "x-secret": "1",
        "transfer-encoding": "chunked",
        te: "trailers",
        "x-forwarded-for": "203.0.113.9",
        forwarded: "for=203.0.113.9",
        ":path": "/",
        accept: "*/*",
        cookie: ["a=1", "b=2"],
        "x-many": ["1", "2"],
      }),
    ).toEqual({ accept: "*/*", cookie: "a=1; b=2", "x-many": ["1", "2"] })
  })
})
