import { afterEach, describe, expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { configuredHooks, joinHooks, type HookSubject } from "./hooks.ts"

const root = mkdtempSync(join(tmpdir(), "hooks-"))
afterEach(() => rmSync(root, { recursive: true, force: true }))

const subject: HookSubject = { command: "/bin/sh", annotations: { "org.example/kind": "web" }, hasBindMounts: false }

function write(directory: string, name: string, document: unknown): string {
  const path = join(root, directory)
  mkdirSync(path, { recursive: true })
  writeFileSync(join(path, name), typeof document === "string" ? document : JSON.stringify(document))
  return path
}
const hook = (when: object, args = ["true"], stages = ["prestart"]) => ({
  version: "1.0.0",
  hook: { path: "/bin/true", args },
  when,
  stages,
})

describe("configuredHooks()", () => {
  test.each<[when: object, change: Partial<HookSubject>, fits: boolean]>([
    [{ always: true }, {}, true],
    [{ always: false }, {}, false],
    [{}, {}, false],
    [{ commands: ["^/bin/sh$"] }, {}, true],
    [{ commands: ["^sleep$", "/ls$"] }, {}, false],
    [{ annotations: { "^org\\.example/": "^web$" } }, {}, true],
    [{ annotations: { "^org\\.example/": "^db$" } }, {}, false],
    [{ hasBindMounts: true }, {}, false],
    [{ hasBindMounts: true }, { hasBindMounts: true }, true],
    [{ hasBindMounts: true, commands: ["sh$"] }, {}, false],
    [{ always: true, commands: ["^sleep$"] }, {}, false],
  ])("%j with %j: %p", (when, change, fits) => {
    const directory = write("a", "one.json", hook(when))
    expect(configuredHooks([directory], { ...subject, ...change }) !== undefined).toBe(fits)
  })

  test("come in the order of their names, a later directory's in place of an earlier one's", () => {
    const first = write("a", "20-second.json", hook({ always: true }, ["second"], ["prestart", "poststop"]))
    write("a", "10-first.json", hook({ always: true }, ["first"]))
    write("a", "README", "not a hook")
    const second = write("b", "10-first.json", hook({ always: true }, ["instead"]))
    expect(configuredHooks([first, second], subject)).toEqual({
      prestart: [
        { path: "/bin/true", args: ["instead"] },
        { path: "/bin/true", args: ["second"] },
      ],
      poststop: [{ path: "/bin/true", args: ["second"] }],
    })
  })

  test("of the schema before versions fit when one of their conditions does", () => {
    const former = {
      hook: "/bin/true",
      arguments: ["x"],
      cmds: ["^sleep$"],
      annotations: ["^web$"],
      stages: ["poststop"],
    }
    expect(configuredHooks([write("a", "old.json", former)], subject)).toEqual({
      poststop: [{ path: "/bin/true", args: ["/bin/true", "x"] }],
    })
  })

  test.each<[document: unknown, words: string]>([
    ["{", "is not JSON"],
    [{ ...hook({ always: true }), stages: ["precreate"] }, "stages"],
    [{ ...hook({ always: true }), stages: [] }, "stage"],
    [{ ...hook({ allways: true }) }, "when"],
    [{ ...hook({ always: true }), version: "2.0.0" }, "version"],
    [{ ...hook({ always: true }), hook: { path: "/no/such/program" } }, "no program"],
    [hook({ commands: ["("] }), "invalid pattern"],
  ])("%j is refused by its file's name", (document, words) => {
    const directory = write("a", "wrong.json", document)
    expect(() => configuredHooks([directory], subject)).toThrow(words)
  })

  test("a directory that was named must be there", () => {
    expect(() => configuredHooks([join(root, "none")], subject)).toThrow("no directory of hooks")
  })
})

test("hooks of several sources keep their order", () => {
  expect(joinHooks(undefined, { poststop: [{ path: "/a" }] }, { poststop: [{ path: "/b" }] })).toEqual({
    poststop: [{ path: "/a" }, { path: "/b" }],
  })
  expect(joinHooks(undefined, {})).toBeUndefined()
})
