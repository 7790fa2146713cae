import { expect, test } from "bun:test"
import { chooseSubnet } from "./choose-subnet.ts"
import {
  broadcastAddress,
  formatIpv4,
  formatIpv4Range,
  formatMac,
  macOfAddress,
  overlaps,
  parseIpv4,
  parseIpv4Range,
  parseMac,
} from "./ipv4.ts"

const overlap = (one: string, other: string): boolean => overlaps(parseIpv4Range(one), parseIpv4Range(other))
const choose = (...busy: string[]): string => formatIpv4Range(chooseSubnet(busy.map(parseIpv4Range)))

test.each(["0.0.0.0", "172.17.0.2", "255.255.255.255", "192.168.240.1"])("%s is read and written alike", (text) => {
  expect(formatIpv4(parseIpv4(text))).toBe(text)
})

test.each(["", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.4 ", "::1", "1.2.3.-4"])(
  'address "%s" is refused',
  (text) => {
    expect(() => parseIpv4(text)).toThrow("invalid address")
  },
)

test.each(["172.17.0.0", "172.17.0.1/16", "172.17.0.0/33", "/8", "1.2.3.0/24/24", "::/0"])(
  'subnet "%s" is refused',
  (text) => {
    expect(() => parseIpv4Range(text)).toThrow("invalid subnet")
  },
)

test("the last address of a range, also of the highest", () => {
  expect(formatIpv4(broadcastAddress(parseIpv4Range("172.17.0.0/16")))).toBe("172.17.255.255")
  expect(formatIpv4(broadcastAddress(parseIpv4Range("255.255.255.0/24")))).toBe("255.255.255.255")
  expect(formatIpv4(broadcastAddress(parseIpv4Range("0.0.0.0/0")))).toBe("255.255.255.255")
})

test("ranges overlap when one holds the other", () => {
  expect(overlap("172.16.0.0/12", "172.17.0.0/16")).toBe(true)
  expect(overlap("172.17.4.0/24", "172.17.0.0/16")).toBe(true)
  expect(overlap("172.18.0.0/16", "172.17.0.0/16")).toBe(false)
  expect(overlap("0.0.0.0/0", "172.17.0.0/16")).toBe(true)
})

test("MAC addresses follow docker's, and are read in both forms", () => {
  expect(formatMac(macOfAddress(parseIpv4("172.17.0.2")))).toBe("02:42:ac:11:00:02")
  expect(formatMac(parseMac("02-42-AC-11-00-02"))).toBe("02:42:ac:11:00:02")
  for (const text of ["", "02:42:ac:11:00", "02:42:ac:11:00:0g", "03:42:ac:11:00:02"])
    expect(() => parseMac(text)).toThrow("invalid MAC address")
})

test("the first free range is chosen; a default route takes none; with all taken it says so", () => {
  expect(choose()).toBe("172.17.0.0/16")
  expect(choose("0.0.0.0/0", "172.17.9.9/32")).toBe("172.18.0.0/16")
  expect(choose("172.16.0.0/12")).toBe("192.168.0.0/20")
  expect(choose("172.16.0.0/12", "192.168.0.0/16")).toBe("10.89.0.0/24")
  expect(() => choose("172.16.0.0/12", "192.168.0.0/16", "10.0.0.0/8")).toThrow("no address range is free")
})
