import { describe, expect, test } from "bun:test"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { FailedPrecondition, InvalidArgument, NotFound, type Hint } from "../../base/errors.ts"
import { BUILD_FLAGS } from "../build/flags.ts"
import { CONTAINER_FLAGS } from "../container-flags.ts"
import { describeHint } from "./describe-hint.ts"
import { describeError, exitCodeOf, type FailureContext } from "./failure.ts"
import { flagOf, flagOfField } from "./field-flags.ts"
import { UsageError } from "./usage-error.ts"

const run = { command: "container run", flags: CONTAINER_FLAGS }
const start = { command: "container start", flags: {} }
const build = { command: "image build", flags: BUILD_FLAGS }
const context: FailureContext = { ...run, debug: false, failureCode: 125, endsAsProgram: true }

/** Options of pods, which no command makes, and all limits together, which no single flag is. */
const OF_NO_FLAG = new Set(["sharePid", "resources"])

/** Those of Kubernetes' objects stand in files. */
const isOption = (field: string): boolean => !OF_NO_FLAG.has(field) && !/^(?:spec|metadata)\./.test(field)

/** Every field that an error or a remedy of a domain names. */
function namedFields(): string[] {
  const root = join(import.meta.dir, "../..")
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter(
    // the fields of cri/ are those of its protocol
    (file) => file.endsWith(".ts") && !/\.(test|suite)\.ts$/.test(file) && !/^(cli|cri)\//.test(file),
  )
  const text = files.map((file) => readFileSync(join(root, file), "utf8")).join("\n")
  const given = [
    ...text.matchAll(/(?:new \w+\([^]{0,300}?|do: "(?:set|omit)", |restated\([^]{0,300}?)\bfield: "([\w.]+)"/g),
  ]
  return [...new Set(given.map(([, field = ""]) => field))].filter(isOption).toSorted()
}

/** Without colours: the tests may have a terminal. */
const plainError = (error: unknown) =>
  // oxlint-disable-next-line no-control-regex
  describeError(error, context).replace(/\u001b\[\d+m/g, "")

describe("a field", () => {
  test.each(namedFields())("%s is a flag of some command", (field) => {
    const groups = [
      "container run",
      "image build",
      "image push",
      "pod create",
      "volume create",
      "network create",
      "registry serve",
      "scan",
    ]
    expect(groups.map((command) => flagOfField(field, command)).filter(Boolean)).not.toEqual([])
  })

  test("is the flag of the command that failed, where that has one", () => {
    expect(flagOf("resources.memory", run)).toBe("--memory")
    expect(flagOf("resources.memory", build)).toBe("--memory")
    expect(flagOf("resources.memory", start)).toBeUndefined()
    expect(flagOf("no.such", run)).toBeUndefined()
    expect(flagOf("command", run)).toBe("COMMAND")
  })
})

describe("a hint", () => {
  test.each<[Hint, typeof run, string | undefined]>([
    ["expected NAME=value", run, "expected NAME=value"],
    [{ valid: ["a", "b"] }, run, "valid: a, b"],
    [{ do: "start", container: "web" }, run, "start it: skiff start web"],
    [
      { do: "set", field: "securityOptions", value: "seccomp=unconfined" },
      run,
      "give --security-opt seccomp=unconfined",
    ],
    [{ do: "set", field: "securityOptions", value: "seccomp=unconfined" }, start as never, undefined],
    [["install it", { do: "omit", field: "init" }], start as never, "install it"],
    [["install it", { do: "omit", field: "init" }], run, "install it; or leave --init out"],
  ])("%j", (hint, failed, expected) => expect(describeHint(hint, failed)).toBe(expected))
})

describe("an error", () => {
  test("names the flag on its first line, and not twice", () => {
    const wrong = new InvalidArgument("too small\n  the line itself", {
      field: "resources.memory",
      hint: "minimum: 6m",
    })
    expect(plainError(wrong)).toBe("skiff: too small (--memory)\n  the line itself\n  hint: minimum: 6m\n")
    const named = new InvalidArgument("--memory is too small", { field: "resources.memory" })
    expect(plainError(named)).toBe("skiff: --memory is too small\n")
  })

  test("of several shows each, and the first hint", () => {
    const both = new AggregateError([new Error("one"), new NotFound("two", { hint: "see" })], "both failed")
    expect(plainError(both)).toBe("skiff: both failed\n  one\n  two\n  hint: see\n")
  })

  test("shows what a stranger wrote as text", () => {
    expect(plainError(new NotFound("no \u001b[31m"))).toBe("skiff: no \\x1b[31m\n")
  })

  test("ends with 125 for a wrong flag, as the program that was run, else as its command says", () => {
    expect(exitCodeOf(new UsageError("wrong flag"), context)).toBe(125)
    expect(exitCodeOf(new UsageError("wrong number of words", {}, 1), context)).toBe(1)
    expect(exitCodeOf(new FailedPrecondition("ended", { data: { programExit: 3 } }), context)).toBe(3)
    expect(exitCodeOf(new Error("unforeseen"), context)).toBe(125)
  })

  test("of a program is the command's own failure where the command does not end as that", () => {
    const failed = new FailedPrecondition("RUN ended", { data: { programExit: 3 } })
    expect(exitCodeOf(failed, { ...context, failureCode: 1, endsAsProgram: false })).toBe(1)
  })
})
