import { describe, expect, test } from "bun:test"
import { parseFlags } from "../parse-flags.ts"
import type { FlagValues } from "../flag.ts"
import { CONFIG_FLAGS, configChanges } from "./config-flags.ts"
import { COPY_FLAGS, copyWords } from "./copy-words.ts"
import { shellWords } from "./shell-words.ts"

const changes = (...argv: string[]) =>
  configChanges(parseFlags(CONFIG_FLAGS, argv, true).values as FlagValues<typeof CONFIG_FLAGS>)

describe("builder config", () => {
  test("commands are JSON, or words as a shell splits them; an entrypoint is JSON, or a line for the shell", () => {
    expect(changes("--cmd", '["a b","c"]', "--entrypoint", '["x"]').config).toEqual({
      Cmd: ["a b", "c"],
      Entrypoint: ["x"],
    })
    expect(changes("--cmd", "a 'b c'", "--entrypoint", "x y").config).toEqual({
      Cmd: ["a", "b c"],
      Entrypoint: ["/bin/sh", "-c", "x y"],
    })
    expect(changes("--cmd", "", "--entrypoint", "").config).toEqual({ Cmd: [], Entrypoint: [] })
    expect(changes("--cmd", "[ -f /x ]").config.Cmd).toEqual(["[", "-f", "/x", "]"])
  })

  test("keys are set, and taken out by a minus or by unset", () => {
    const { env, labels, ports } = changes(
      "-e",
      "A=1-",
      "-e",
      "B-",
      "--unsetenv",
      "C",
      "-l",
      "x",
      "-p",
      "80",
      "-p",
      "81-",
    )
    expect(env).toEqual([
      ["A", "1-"],
      ["B", undefined],
      ["C", undefined],
    ])
    expect(labels).toEqual([["x", ""]])
    expect(ports).toEqual([
      ["80", ""],
      ["81", undefined],
    ])
    expect(() => changes("-l", "=x")).toThrow("expected KEY=VALUE")
  })

  test("a healthcheck has nanoseconds, as the image specification writes them", () => {
    const { config } = changes(
      "--healthcheck",
      "CMD curl x",
      "--healthcheck-interval",
      "5s",
      "--healthcheck-retries",
      "2",
    )
    expect(config.Healthcheck).toEqual({ Test: ["CMD", "curl", "x"], Interval: 5_000_000_000, Retries: 2 })
  })
})

test.each([
  ["a  b", ["a", "b"]],
  ["'a b' \"c d\"e f\\ g", ["a b", "c de", "f g"]],
  ['"a\\"b\\n" \'\\x\'', ['a"b\\n', "\\x"]],
  ["''", [""]],
  ["  ", []],
])("shellWords(%j) is %j", (line, words) => {
  expect(shellWords(line)).toEqual(words)
})

test("shellWords() refuses an open quote", () => {
  expect(() => shellWords("a 'b")).toThrow("no closing '")
})

const words = (sources: string[], ...argv: string[]) =>
  copyWords(sources, parseFlags(COPY_FLAGS, argv, true).values as FlagValues<typeof COPY_FLAGS>)

test("copyWords() takes the last word as target, and a context with what it leaves out", () => {
  expect(words(["a", "/b", "https://x/y", "/to"], "--chown", "1", "--contextdir", "/c", "-q")).toEqual({
    sources: ["a", "/b", "https://x/y"],
    target: "/to",
    exclude: [],
    access: { retries: undefined, retryDelayMs: undefined },
    chown: "1",
    context: { directory: "/c" },
    digest: false,
    addHistory: false,
  })
  expect(words(["a"])).toMatchObject({ sources: ["a"], target: undefined, digest: true })
  expect(() => words(["a"], "--ignorefile", "/x")).toThrow("--ignorefile needs --contextdir")
})
