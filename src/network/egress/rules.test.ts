import { describe, expect, test } from "bun:test"
import { formatEgressRule, parseEgressRule } from "../../spec/docker/egress-rule.ts"
import { formatIpv4 } from "../ipv4.ts"
import { allowedRanges, isNamed, parseRules, rulesText, trafficTo } from "./rules.ts"

const rules = (...texts: string[]) => texts.flatMap(parseEgressRule)
const ranges = (...texts: string[]) =>
  allowedRanges(rules(...texts))
    .filter(({ range }) => range.family === 4)
    .map(({ range, traffic }) => {
      const what = traffic === undefined ? "all" : `${traffic.protocol} ${traffic.first}-${traffic.last}`
      return `${formatIpv4(Number(range.first))}-${formatIpv4(Number(range.last))} ${what}`
    })

describe("rules of egress", () => {
  test("are kept as text, with host bits cleared, each once", () => {
    const text = rulesText(rules("10.1.2.3/8:80/tcp", "10.0.0.0/8:80/tcp", "2001:db8::1/32", "a.example"))
    expect(text).toBe("10.0.0.0/8:80/tcp 2001:db8::/32 a.example")
    expect(parseRules(text).map(formatEgressRule).join(" ")).toBe(text)
    expect(rulesText([])).toBe("none")
    expect(parseRules("none")).toEqual([])
  })

  test("that overlap become ranges that do not, with what they allow together", () => {
    expect(ranges("10.0.0.0/8:443/tcp", "10.1.0.0/16")).toEqual([
      "10.0.0.0-10.0.255.255 tcp 443-443",
      "10.1.0.0-10.1.255.255 all",
      "10.2.0.0-10.255.255.255 tcp 443-443",
    ])
    expect(ranges("10.0.0.1:80-90/tcp", "10.0.0.1:85-100/tcp", "10.0.0.1:53/udp")).toEqual([
      "10.0.0.1-10.0.0.1 tcp 80-100",
      "10.0.0.1-10.0.0.1 udp 53-53",
    ])
    expect(ranges("all", ":443")).toEqual(["0.0.0.0-255.255.255.255 all"])
  })

  test("that name one address twice allow it both ports, and everything if one does", () => {
    const both = rules("a.example:80-90/tcp", "*.example:85-100/tcp", "b.example")
    expect(trafficTo(["a.example"], both)).toEqual([{ protocol: "tcp", first: 80, last: 100 }])
    expect(trafficTo(["a.example", "b.example"], both)).toEqual([undefined])
    expect(trafficTo(["a.other"], both)).toEqual([])
  })

  test.each([
    ["a.example", "a.example", true],
    ["x.a.example", "a.example", false],
    ["x.a.example", "*.a.example", true],
    ["y.x.a.example", "*.a.example", true],
    ["a.example", "*.a.example", false],
    ["evila.example", "*.a.example", false],
    [".a.example", "*.a.example", false],
  ])("%s by %s: %p", (name, pattern, isMeant) => {
    expect(isNamed(name, pattern)).toBe(isMeant)
  })
})
