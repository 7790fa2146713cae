import { describe, expect, test } from "bun:test"
import { parseBitRate } from "./bit-rate.ts"
import { formatRefusal, parseRefusal } from "./refusal.ts"

const texts = (text: string) => parseRefusal(text).map(formatRefusal)

describe("parseRefusal()", () => {
  test("knows addresses, ports, both, and interfaces", () => {
    expect(texts("10.0.0.0/8")).toEqual(["10.0.0.0/8"])
    expect(texts("192.0.2.1")).toEqual(["192.0.2.1/32"])
    expect(texts("all")).toEqual(["0.0.0.0/0"])
    expect(texts("25")).toEqual(["0.0.0.0/0:25-25/tcp", "0.0.0.0/0:25-25/udp"])
    expect(texts(":6000-6010/udp")).toEqual(["0.0.0.0/0:6000-6010/udp"])
    expect(texts("192.0.2.0/24:80/tcp")).toEqual(["192.0.2.0/24:80-80/tcp"])
    expect(texts("wlan0")).toEqual(["wlan0"])
    for (const text of ["10.0.0.0/8", "0.0.0.0/0:25-25/tcp", "eth0.7"]) expect(texts(text)).toEqual([text])
  })

  test.each([
    "",
    ":",
    "/8",
    "10.0.0.0/33",
    "10.0.0/8",
    "1.2.3.4:0",
    "1.2.3.4:70000",
    "1.2.3.4:9-8",
    "25/icmp",
    "::1",
    "a b",
    "x".repeat(16),
    'e"0',
    "10.0.0.0/8/8",
  ])("refuses %j", (text) => {
    expect(() => parseRefusal(text)).toThrow(expect.objectContaining({ code: "InvalidArgument" }))
  })
})

describe("parseBitRate()", () => {
  test("is in bits a second, in units of ten", () => {
    expect(["8000bit", "64kbit", "10mbit", "1.5Mbit", "2gbit"].map(parseBitRate)).toEqual([
      8000, 64e3, 10e6, 1.5e6, 2e9,
    ])
  })

  test.each(["", "10", "10mb", "10mbps", "-1mbit", "1bit", "1e9gbit", "999999gbit", "ten mbit"])(
    "refuses %j",
    (text) => {
      expect(() => parseBitRate(text)).toThrow(expect.objectContaining({ code: "InvalidArgument" }))
    },
  )
})
