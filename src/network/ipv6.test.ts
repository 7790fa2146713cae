import { describe, expect, test } from "bun:test"
import {
  formatIpv6,
  formatIpv6Range,
  ipv6Contains,
  ipv6Overlaps,
  lastIpv6Address,
  parseIpv6,
  parseIpv6Range,
} from "./ipv6.ts"

describe("an IPv6 address", () => {
  test.each([
    ["::", 0n, "::"],
    ["::1", 1n, "::1"],
    ["fd00::2", 0xfd000000_00000000_00000000_00000002n, "fd00::2"],
    ["FD00:0:0:1:0:0:0:a", 0xfd000000_00000001_00000000_0000000an, "fd00:0:0:1::a"],
    ["1:2:3:4:5:6:7:8", 0x00010002_00030004_00050006_00070008n, "1:2:3:4:5:6:7:8"],
    ["::ffff:10.0.0.1", 0xffff_0a00_0001n, "::ffff:a00:1"],
  ])("%s is read and written in its shortest form", (text, number, written) => {
    expect(parseIpv6(text)).toBe(number)
    expect(formatIpv6(number)).toBe(written)
  })

  test.each(["", "10.0.0.1", "fd00", "fd00::1%eth0", "[fd00::1]", "1::2::3", "g::"])("%p is none", (text) => {
    expect(() => parseIpv6(text)).toThrow("invalid address")
  })

  test("is the same number after a round trip", () => {
    for (let round = 0; round < 500; round++) {
      const number = BigInt(`0x${Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("hex")}`)
      const sparse = number & BigInt(`0x${"ffff0000".repeat(4)}`)
      for (const one of [number, sparse]) expect(parseIpv6(formatIpv6(one))).toBe(one)
    }
  })
})

describe("an IPv6 range", () => {
  test("is read and written", () => {
    expect(parseIpv6Range("fd00:1::/64")).toEqual({ address: 0xfd000001n << 96n, prefixLength: 64 })
    expect(formatIpv6Range(parseIpv6Range("FD00:1:0::/64"))).toBe("fd00:1::/64")
    expect(formatIpv6(lastIpv6Address(parseIpv6Range("fd00::/120")))).toBe("fd00::ff")
    expect(formatIpv6Range(parseIpv6Range("::/0"))).toBe("::/0")
  })

  test.each(["fd00::", "fd00::/129", "10.0.0.0/8", "fd00::1/64", "/64"])("%s is refused", (text) => {
    expect(() => parseIpv6Range(text)).toThrow(`invalid subnet "${text}"`)
  })

  test("contains its addresses and overlaps ranges in it and around it", () => {
    const range = parseIpv6Range("fd00:1::/64")
    expect(ipv6Contains(range, parseIpv6("fd00:1::ffff"))).toBe(true)
    expect(ipv6Contains(range, parseIpv6("fd00:1:0:1::"))).toBe(false)
    expect(ipv6Overlaps(range, parseIpv6Range("fd00::/16"))).toBe(true)
    expect(ipv6Overlaps(parseIpv6Range("::/0"), range)).toBe(true)
    expect(ipv6Overlaps(range, parseIpv6Range("fd00:2::/64"))).toBe(false)
  })
})
