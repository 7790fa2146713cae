import { describe, expect, test } from "bun:test"
import { formatEgressRule, parseEgressRule } from "./egress-rule.ts"

const round = (text: string): string[] => parseEgressRule(text).map(formatEgressRule)

describe("where traffic is allowed to", () => {
  test.each([
    ["192.0.2.1", ["192.0.2.1/32"]],
    ["10.0.0.0/8", ["10.0.0.0/8"]],
    ["10.0.0.0/8/udp", ["10.0.0.0/8/udp"]],
    ["192.0.2.1:443", ["192.0.2.1/32:443/tcp", "192.0.2.1/32:443/udp"]],
    ["192.0.2.1:8000-8010/tcp", ["192.0.2.1/32:8000-8010/tcp"]],
    ["192.0.2.1/icmp", ["192.0.2.1/32/icmp"]],
    ["2001:db8::/32", ["2001:db8::/32"]],
    ["[2001:db8::1]:443/tcp", ["[2001:db8::1/128]:443/tcp"]],
    ["[2001:db8::/32]:53/udp", ["[2001:db8::/32]:53/udp"]],
    ["API.Example.org:443/tcp", ["api.example.org:443/tcp"]],
    ["*.example.org", ["*.example.org"]],
    ["_dmarc.example.org.", ["_dmarc.example.org"]],
    ["db", ["db"]],
    ["x", ["x"]],
    [":53/udp", ["0.0.0.0/0:53/udp", "[::/0]:53/udp"]],
    ["25/tcp", ["0.0.0.0/0:25/tcp", "[::/0]:25/tcp"]],
    ["all", ["0.0.0.0/0", "::/0"]],
  ])("%s", (text, rules) => {
    expect(round(text)).toEqual(rules)
    expect(rules.flatMap(round)).toEqual(rules)
  })

  test.each([
    "10.0.0.0/40",
    "10.0.0",
    "1.2.3.4.5",
    "no such name",
    "a..b",
    "-a.example",
    "*",
    "*.*.example",
    "a*.example",
    `${"a".repeat(64)}.example`,
    "192.0.2.1:0",
    "192.0.2.1:70000",
    "192.0.2.1:90-80",
    "192.0.2.1:80/icmp",
    "192.0.2.1:80/quic",
    "[2001:db8::1",
    "2001:db8::/129",
    '1.2.3.4" }; flush ruleset; {',
    "a\nb",
  ])("%j is refused", (text) => {
    expect(() => parseEgressRule(text)).toThrow(expect.objectContaining({ code: "InvalidArgument" }))
  })
})
