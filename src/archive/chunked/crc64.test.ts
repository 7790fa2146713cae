import { expect, test } from "bun:test"
import { Crc64 } from "./crc64.ts"

/** By its definition, bit by bit (Go's hash/crc64 with the ISO table). */
function slow(bytes: Uint8Array): string {
  let crc = 0xffff_ffff_ffff_ffffn
  for (const byte of bytes) {
    crc ^= BigInt(byte)
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ 0xd800_0000_0000_0000n : crc >> 1n
  }
  return (crc ^ 0xffff_ffff_ffff_ffffn).toString(16).padStart(16, "0")
}

test("Crc64 gives the check value that is published of it", () => {
  const crc = new Crc64()
  crc.update(Buffer.from("123456789"))
  expect(crc.digest().toString("hex")).toBe("b90956c775a41001") // CRC-64/GO-ISO
})

test("Crc64 gives the same however the bytes are cut, and wherever they lie in memory", () => {
  const all = Buffer.from(Array.from({ length: 4099 }, (_, index) => (index * 7919) % 251))
  for (const cut of [0, 1, 3, 4, 5, 1000, 4098]) {
    const crc = new Crc64()
    crc.update(all.subarray(0, cut))
    crc.update(all.subarray(cut))
    expect(crc.digest().toString("hex")).toBe(slow(all))
  }
})
