import { expect, test } from "bun:test"
import { DetachKeys, parseDetachKeys } from "./detach-keys.ts"

const bytes = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0))
const text = (typed: Uint8Array) => String.fromCharCode(...typed)

test("parseDetachKeys() reads letters and controls", () => {
  expect(parseDetachKeys("ctrl-p,ctrl-q")).toEqual(bytes("\x10\x11"))
  expect(parseDetachKeys("ctrl-],a,ctrl-@,ctrl-_")).toEqual(bytes("\x1da\x00\x1f"))
  for (const bad of ["", "ctrl-", "ctrl-1", "ab", "ctrl-p,"])
    expect(() => parseDetachKeys(bad)).toThrow("unknown character")
})

test("the keys detach, together or one by one, and are not passed on", () => {
  expect(new DetachKeys().feed(bytes("ab\x10\x11cd"))).toEqual({ forward: bytes("ab"), detached: true })
  const keys = new DetachKeys()
  expect(keys.feed(bytes("\x10"))).toEqual({ forward: bytes(""), detached: false })
  expect(keys.feed(bytes("\x11"))).toEqual({ forward: bytes(""), detached: true })
})

test("a beginning that goes on otherwise is passed on whole", () => {
  const keys = new DetachKeys()
  expect(text(keys.feed(bytes("\x10")).forward)).toBe("")
  expect(text(keys.feed(bytes("x")).forward)).toBe("\x10x")
  expect(keys.feed(bytes("\x10\x10\x11"))).toEqual({ forward: bytes("\x10"), detached: true })
})
