import { expect, test } from "bun:test"
import { runtimeFailure } from "./failure.ts"

test.each([
  [
    'runc create failed: unable to start container process: exec: "x": executable file not found in $PATH',
    127,
    'exec: "x": executable file not found in $PATH',
  ],
  [
    'runc create failed: unable to start container process: exec: "/tmp": is a directory',
    126,
    'exec: "/tmp": is a directory',
  ],
  [
    "executable file `x` not found in $PATH: No such file or directory",
    127,
    'exec: "x": executable file not found in $PATH',
  ],
  ["2026-01-02T03:04:05.000000Z: open executable: Operation not permitted", 126, 'exec: "prog": permission denied'],
  [
    'time="2026-01-02T03:04:05Z" level=error msg="exec: \\"x\\": permission denied"',
    126,
    'exec: "x": permission denied',
  ],
  ['{"msg":"some trouble","level":"error","time":"t"}', undefined, "crun: some trouble"],
  ["", undefined, "crun: no message"],
  ["the path `/tmp` is not a regular file: Operation not permitted", 126, 'exec: "prog": permission denied'],
  ["the path `/x` exists but it is not executable: Permission denied", 126, 'exec: "prog": permission denied'],
  ["first line\nlast line\n", undefined, "crun: last line"],
])("%j", (words, programExit, message) => {
  expect(runtimeFailure("crun", words, { program: "prog" })).toMatchObject({ data: { programExit }, message })
})
