import { expect, test } from "bun:test"
import { parseChmod } from "./file-mode.ts"

const cases: [text: string, before: number, after: number, isDirectory?: boolean][] = [
  ["755", 0o644, 0o755],
  ["0644", 0o4755, 0o644],
  ["4755", 0o644, 0o4755],
  ["+x", 0o644, 0o755],
  ["u+x", 0o644, 0o744],
  ["+w", 0o444, 0o644],
  ["a+w", 0o444, 0o666],
  ["go-r", 0o644, 0o600],
  ["u=rwX,go=rX", 0o600, 0o644],
  ["u=rwX,go=rX", 0o700, 0o755],
  ["u=rwX,go=rX", 0o600, 0o755, true],
  ["g=u", 0o640, 0o660],
  ["o=", 0o647, 0o640],
  ["u+s,o+t", 0o755, 0o5755],
  ["u=rw-w+x", 0o000, 0o500],
  ["=r", 0o4755, 0o444],
  ["u=g", 0o4755, 0o4555],
  ["a-x+X", 0o644, 0o644],
  ["a-x+X", 0o755, 0o755],
]

test("--chmod is octal or symbolic, as chmod(1) has it", () => {
  for (const [text, before, after, isDirectory = false] of cases)
    expect([text, parseChmod(text)(before, isDirectory).toString(8)]).toEqual([text, after.toString(8)])
})

test("what chmod(1) would not take is refused", () => {
  for (const text of ["", "999", "77777", "u", "u+y", "z=r", "u+r,", "+x;rm", "rwx"])
    expect(() => parseChmod(text)).toThrow("invalid chmod")
})
