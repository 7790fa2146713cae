import { expect, test } from "bun:test"
import { Chunker } from "./chunker.ts"

const AVERAGE = 4096

/** Bytes of no order, the same each time. */
function noise(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length)
  for (let at = 0, state = seed; at < length; at++)
    bytes[at] = (state = (state * 1_103_515_245 + 12_345) & 0x7fffffff) >> 16
  return bytes
}

function parts(bytes: Buffer, pieceBytes = bytes.length): Buffer[] {
  const chunker = new Chunker(AVERAGE)
  const found: Buffer[] = []
  for (let at = 0; at < bytes.length; at += pieceBytes)
    found.push(...chunker.write(Buffer.from(bytes.subarray(at, at + pieceBytes))))
  return [...found, ...chunker.end()]
}

test("the parts are the whole, of the sizes that are said, wherever the pieces end", () => {
  const bytes = noise(300_000)
  const whole = parts(bytes)
  expect(Buffer.concat(whole).equals(bytes)).toBe(true)
  for (const part of whole.slice(0, -1)) {
    expect(part.length).toBeGreaterThanOrEqual(AVERAGE / 4)
    expect(part.length).toBeLessThanOrEqual(AVERAGE * 4)
  }
  expect(whole.length).toBeGreaterThan(300_000 / AVERAGE / 3)
  for (const pieceBytes of [1, 7, 512, 1023, 65_536])
    expect(parts(bytes, pieceBytes).map(({ length }) => length)).toEqual(whole.map(({ length }) => length))
})

test("bytes that are put in change the parts around them alone", () => {
  const bytes = noise(300_000)
  const changed = Buffer.concat([bytes.subarray(0, 150_000), Buffer.from("new"), bytes.subarray(150_000)])
  const before = new Set(parts(bytes).map((part) => part.toString("latin1")))
  const others = parts(changed).filter((part) => !before.has(part.toString("latin1")))
  expect(others.length).toBeLessThanOrEqual(4)
})

test("what never says where to cut is cut by its length", () => {
  expect(parts(Buffer.alloc(100_000)).every(({ length }) => length <= AVERAGE * 4)).toBe(true)
  expect(parts(Buffer.alloc(0))).toEqual([])
})
