import { expect, test } from "bun:test"
import { assert, integer, property, uint8Array } from "fast-check"
import { SecretScan } from "./secret-scan.ts"

const secret = { id: "token", bytes: Buffer.from("correct horse battery\n") }

test("a secret is found wherever chunks begin and end, without the line break of its file", () => {
  const text = Buffer.from(`${"x".repeat(40)}correct horse battery${"y".repeat(40)}`)
  for (let size = 1; size <= text.length; size++) {
    const scan = new SecretScan([secret])
    const chunk = Buffer.alloc(size)
    for (let at = 0; at < text.length; at += size) {
      // one buffer for all, as readers have it
      text.copy(chunk, 0, at)
      scan.write(chunk.subarray(0, Math.min(size, text.length - at)))
    }
    expect([...scan.found]).toEqual(["token"])
  }
})

test("what is not there is not found", () => {
  assert(
    property(uint8Array({ maxLength: 200 }), integer({ min: 1, max: 50 }), (bytes, size) => {
      const scan = new SecretScan([secret])
      for (let at = 0; at < bytes.length; at += size) scan.write(bytes.subarray(at, at + size))
      expect(scan.found.size).toBe(0)
    }),
  )
})

test("each of several is told by its id, and one too short to mean anything is not looked for", () => {
  const scan = new SecretScan([
    secret,
    { id: "pin", bytes: Buffer.from("1234") },
    { id: "empty", bytes: new Uint8Array() },
    { id: "key", bytes: Buffer.from("a key of 20 bytes...") },
  ])
  scan.write(Buffer.from("1234 a key of 20 bytes... 1234"))
  expect([...scan.found]).toEqual(["key"])
})
