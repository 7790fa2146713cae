import { describe, expect, test } from "bun:test"
import { parseRefusal } from "../spec/docker/refusal.ts"
import { parseIpv4 } from "./ipv4.ts"
import { refusalChanges, refusalText } from "./refusals.ts"

const text = (...words: string[]) => refusalText(words.flatMap((word) => parseRefusal(word)))
const endpoint = (...words: string[]) => ({
  hostInterface: "veth-1",
  address: parseIpv4("172.17.0.2"),
  address6: "fd00::2",
  refused: text(...words),
})

const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString("hex")

describe("refusals", () => {
  test("are kept once, with host bits cleared, in the order in which they were given", () => {
    expect(text("10.1.2.3/8", "10.0.0.0/8", "wlan0", "25/tcp", "wlan0")).toBe("10.0.0.0/8 wlan0 0.0.0.0/0:25-25/tcp")
    expect(text()).toBe("")
  })

  test.each([[["10.0.0.0/8", "10.1.0.0/16"]], [["25/tcp", "10.0.0.0/8:20-30/tcp"]], [["all", "1.2.3.4"]]])(
    "%j overlap, which no set can hold",
    (words) => {
      expect(() => text(...words)).toThrow(expect.objectContaining({ code: "InvalidArgument" }))
    },
  )

  test("of one range's addresses and of its ports stand beside each other", () => {
    expect(text("10.0.0.0/8", "10.0.0.0/8:25/tcp", "10.0.0.0/8:25/udp", "10.0.0.0/8:26/tcp")).toContain("10.0.0.0/8 ")
  })

  test("are elements from the first address and port to the last", () => {
    const one = endpoint("10.0.0.0/8", "192.0.2.1:6000-6010/udp", "wlan0")
    const changes = refusalChanges("add", "skiff", [one])
    expect(
      changes.map(({ family, set, elements: [element] }) => [family, set, hex(element?.key), hex(element?.keyEnd)]),
    ).toEqual([
      ["bridge", "refused", "ac1100020a000000", "ac1100020affffff"],
      ["bridge", "refused_ports", "ac110002c00002011100000017700000", "ac110002c000020111000000177a0000"],
      ["inet", "refused_links", "ac110002776c616e300000000000000000000000", ""],
      ["inet", "refused_links6", "fd000000000000000000000000000002776c616e300000000000000000000000", ""],
    ])
    const everywhere = refusalChanges("add", "skiff", [endpoint("0.0.0.0/0", "0.0.0.0/0:25/tcp")])
    expect(everywhere.map(({ set }) => set)).toEqual(["refused", "refused_ports", "refused6", "refused_ports6"])
    expect(refusalChanges("delete", "skiff", [{ ...one, refused: "" }])).toEqual([])
  })
})
