import { describe, expect, test } from "bun:test"
import { parseEnvFile, parseEnvOrPrefix } from "./environment.ts"

const HOST = { APP: "base", APP_MODE: "test", app: "lower", OTHER: undefined }

describe("parseEnvOrPrefix()", () => {
  test.each([
    ["A=b", ["A=b"]],
    ["A*=b", ["A*=b"]],
    ["APP", ["APP=base"]],
    ["APP*", ["APP=base", "APP_MODE=test"]],
    ["*PP", []],
    ["OTHER", []],
    ["NONE*", []],
  ])("reads %s", (text, entries) => {
    expect(parseEnvOrPrefix(text, HOST)).toEqual(entries)
  })

  test("refuses what names nothing", () => {
    expect(() => parseEnvOrPrefix("=x", HOST)).toThrow("invalid environment variable")
  })
})

test("a file of variables has both", () => {
  expect(parseEnvFile('# a comment\nAPP*\nA="b"\napp\n', "f", HOST)).toEqual([
    "APP=base",
    "APP_MODE=test",
    'A="b"',
    "app=lower",
  ])
})
