import { describe, expect, test } from "bun:test"
import { firstFreeAddress, givenSpan, parseAddressSpan } from "./address-span.ts"
import { checkedNetwork } from "./check-network.ts"
import { formatIpv4 } from "./ipv4.ts"
import type { NetworkWanted } from "./network.ts"

/** Of 10.1.2.0/24. */
function given(options: { ipRange?: string }): string[] {
  const { first, last } = givenSpan({ subnet: "10.1.2.0/24", options })
  return [formatIpv4(first), formatIpv4(last)]
}

const checked = (wanted: Partial<NetworkWanted>) => checkedNetwork({ name: "x", ...wanted })

describe("what is asked of a network", () => {
  test("has its shortest form, and a gateway for each range", () => {
    expect(checked({ subnet: "10.1.2.0/24", subnet6: "FD00:0:0:1::/64" })).toMatchObject({
      subnet: "10.1.2.0/24",
      gateway: "10.1.2.1",
      subnet6: "fd00:0:0:1::/64",
      gateway6: "fd00:0:0:1::1",
    })
    expect(checked({ subnet: "10.1.2.3/24", subnet6: "fd00::5/64", clearHostBits: true })).toMatchObject({
      subnet: "10.1.2.0/24",
      subnet6: "fd00::/64",
    })
    const set = { subnet: "10.1.2.0/24", options: { auxiliary: { router: "10.1.2.1", printer: "10.1.2.2" } } }
    expect(checked(set).gateway).toBe("10.1.2.3")
    const routes = [{ destination: "10.9.8.7/16", gateway: "10.1.2.9" }]
    expect(checked({ subnet: "10.1.2.0/24", options: { routes } }).options?.routes).toEqual([
      { destination: "10.9.0.0/16", gateway: "10.1.2.9" },
    ])
  })

  test.each<[why: string, wanted: Partial<NetworkWanted>, field: string]>([
    ["host bits", { subnet: "10.1.2.3/24" }, "subnet"],
    ["the loopback", { subnet: "127.1.0.0/16" }, "subnet"],
    ["multicast", { subnet: "239.0.0.0/8" }, "subnet"],
    ["link-local addresses", { subnet6: "fe80::/64" }, "subnet"],
    ["no room", { subnet: "10.1.2.0/31" }, "subnet"],
    ["no room in IPv6", { subnet6: "fd00::/127" }, "subnet"],
    ["a gateway that is the range's first", { subnet: "10.1.2.0/24", gateway: "10.1.2.0" }, "gateway"],
    ["a gateway that is the range's last", { subnet: "10.1.2.0/24", gateway: "10.1.2.255" }, "gateway"],
    ["a gateway of IPv6 outside", { subnet6: "fd00::/64", gateway6: "fd01::1" }, "gateway"],
    ["a gateway alone", { gateway: "10.1.2.1" }, "subnet"],
    ["a range alone", { options: { ipRange: "10.1.2.0/25" } }, "subnet"],
    ["a range outside", { subnet: "10.1.2.0/24", options: { ipRange: "10.1.3.0/25" } }, "options.ipRange"],
    [
      "a range larger than the subnet",
      { subnet: "10.1.2.0/24", options: { ipRange: "10.1.0.0/16" } },
      "options.ipRange",
    ],
    ["a range of IPv6 outside", { subnet6: "fd00::/64", options: { ipRange6: "fd01::/80" } }, "options.ipRange"],
    [
      "a set-aside gateway",
      { subnet: "10.1.2.0/24", gateway: "10.1.2.9", options: { auxiliary: { a: "10.1.2.9" } } },
      "options.auxiliary",
    ],
    [
      "a set-aside address outside",
      { subnet: "10.1.2.0/24", options: { auxiliary: { a: "10.1.3.9" } } },
      "options.auxiliary",
    ],
    [
      "a route of two families",
      { options: { routes: [{ destination: "10.9.0.0/16", gateway: "fd00::1" }] } },
      "options.routes",
    ],
    ["a bridge of no name", { bridge: "a name that is far too long" }, "bridge"],
    ["an MTU that IPv6 cannot have", { ipv6: true, options: { driverOptions: { mtu: "1000" } } }, "driverOptions"],
  ])("with %s is refused", (_, wanted, field) => {
    let thrown: unknown
    try {
      checked(wanted)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toMatchObject({ code: "InvalidArgument", field })
  })

  test("or is refused as a mistake, whatever it is", () => {
    const pieces = [
      "10.1.2.0",
      "fd00::",
      "/24",
      "/64",
      "/",
      "-",
      "::",
      "999",
      "x",
      "10.1.2.9-10.1.2.3",
      "",
      "/-1",
      "1e3",
    ]
    const piece = () => pieces[Math.floor(Math.random() * pieces.length)] ?? ""
    for (let round = 0; round < 2000; round++) {
      const text = () => piece() + piece() + piece()
      const options = { ipRange: text(), auxiliary: { a: text() }, routes: [{ destination: text(), gateway: text() }] }
      try {
        checked({ subnet: text(), gateway: text(), subnet6: text(), options })
      } catch (error) {
        expect(error).toMatchObject({ code: "InvalidArgument" })
      }
    }
  })
})

describe("a span of addresses", () => {
  test.each([
    ["10.1.2.64/26", "10.1.2.65", "10.1.2.127"],
    ["10.1.2.70/26", "10.1.2.65", "10.1.2.127"],
    ["10.1.2.4/31", "10.1.2.4", "10.1.2.5"],
    ["10.1.2.10-10.1.2.20", "10.1.2.10", "10.1.2.20"],
  ])("%s is read", (text, first, last) => {
    const span = parseAddressSpan(text)
    expect([formatIpv4(span.first), formatIpv4(span.last)]).toEqual([first, last])
  })

  test.each(["10.1.2.9-10.1.2.3", "10.1.2.3", "10.1.2.0/33", "10.1.2.1-10.1.2.2-10.1.2.3", "fd00::/64"])(
    "%s is none",
    (text) => expect(() => parseAddressSpan(text)).toThrow("invalid range"),
  )

  test("leaves the ends of the subnet out", () => {
    expect(given({})).toEqual(["10.1.2.1", "10.1.2.254"])
    expect(given({ ipRange: "10.1.2.0/24" })).toEqual(["10.1.2.1", "10.1.2.254"])
    expect(given({ ipRange: "10.1.2.128/25" })).toEqual(["10.1.2.129", "10.1.2.254"])
    expect(() => firstFreeAddress("10.1.2.0/30", { a: "10.1.2.1", b: "10.1.2.2", c: "10.1.2.3" })).toThrow(
      "no address left",
    )
  })
})
