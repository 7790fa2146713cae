import { expect, test } from "bun:test"
import { parseSignal, signalName } from "./signals.ts"

test.each([
  ["SIGTERM", 15],
  ["term", 15],
  ["15", 15],
  ["sigKill", 9],
  ["SIGRTMIN", 34],
  ["RTMIN+3", 37],
  ["SIGRTMAX-1", 63],
  ["rtmax", 64],
  ["64", 64],
])("%s is %d", (text, number) => expect(parseSignal(text)).toBe(number))

test.each(["", "0", "65", "-9", "SIG", "SIGNOPE", "RTMIN-1", "RTMAX+1", "RTMIN+31", "9x", "constructor", "__proto__"])(
  "refuses %j",
  (text) => expect(() => parseSignal(text)).toThrow(expect.objectContaining({ code: "InvalidArgument" })),
)

test("every number has a name that leads back to it", () => {
  for (let number = 1; number <= 64; number++) {
    if (number === 32 || number === 33) continue // glibc's own
    expect(parseSignal(signalName(number))).toBe(number)
  }
  expect(signalName(37)).toBe("SIGRTMIN+3")
})
