import { expect, test } from "bun:test"
import { understand } from "./last-words.ts"

test.each([
  [
    "needy: error while loading shared libraries: libq.so.6: cannot open shared object file: No such file or directory",
    { library: "libq.so.6", neededBy: "needy" },
  ],
  [
    "Error loading shared library libssl.so.3: No such file or directory (needed by /usr/bin/app)",
    { library: "libssl.so.3", neededBy: "/usr/bin/app" },
  ],
  ["sh: foo: not found", { command: "foo", isThere: false }],
  ["/bin/sh: 1: foo: not found", { command: "foo", isThere: false }],
  ["bash: line 1: foo: command not found", { command: "foo", isThere: false }],
  ["sh: /etc/passwd: Permission denied", { command: "/etc/passwd", isThere: true }],
])("%p is understood", (line, words) => {
  expect(understand(line)).toEqual(words as never)
})

test.each(["", "404 page not found", "hello", "a: \u001b[2J: not found", "error while loading shared libraries"])(
  "%p says nothing of a library or a command",
  (line) => {
    expect(understand(line)).toBeUndefined()
  },
)
