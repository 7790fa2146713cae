import { describe, expect, test } from "bun:test"
import { parseExpose, parsePublish } from "./port-mapping.ts"

describe("parsePublish()", () => {
  const good: [string, object[]][] = [
    ["80", [{ protocol: "tcp", containerPort: 80, hostPort: 0 }]],
    [":80", [{ protocol: "tcp", containerPort: 80, hostPort: 0 }]],
    ["8080:80", [{ protocol: "tcp", containerPort: 80, hostPort: 8080 }]],
    ["8080:80/UDP", [{ protocol: "udp", containerPort: 80, hostPort: 8080 }]],
    ["127.0.0.1:8080:80", [{ protocol: "tcp", containerPort: 80, hostPort: 8080, hostAddress: "127.0.0.1" }]],
    ["127.0.0.1::80", [{ protocol: "tcp", containerPort: 80, hostPort: 0, hostAddress: "127.0.0.1" }]],
    ["0:80", [{ protocol: "tcp", containerPort: 80, hostPort: 0 }]],
    ["0.0.0.0:0:80", [{ protocol: "tcp", containerPort: 80, hostPort: 0, hostAddress: "0.0.0.0" }]],
    ["[::]::80", [{ protocol: "tcp", containerPort: 80, hostPort: 0, hostAddress: "::" }]],
    ["8000-8010:80", [{ protocol: "tcp", containerPort: 80, hostPort: 8000, lastHostPort: 8010 }]],
    [
      "53:53/tcp,udp",
      [
        { protocol: "tcp", containerPort: 53, hostPort: 53 },
        { protocol: "udp", containerPort: 53, hostPort: 53 },
      ],
    ],
    [
      "8080:80,8443:443/udp",
      [
        { protocol: "tcp", containerPort: 80, hostPort: 8080 },
        { protocol: "udp", containerPort: 443, hostPort: 8443 },
      ],
    ],
    ["published=8080,target=80", [{ protocol: "tcp", containerPort: 80, hostPort: 8080 }]],
    ["target=80,protocol=udp,mode=host", [{ protocol: "udp", containerPort: 80, hostPort: 0 }]],
    [
      "published=8080,target=80,host_ip=::1",
      [{ protocol: "tcp", containerPort: 80, hostPort: 8080, hostAddress: "::1" }],
    ],
    ["[::1]:8080:80/sctp", [{ protocol: "sctp", containerPort: 80, hostPort: 8080, hostAddress: "::1" }]],
    [
      "9000-9001:80-81/udp",
      [
        { protocol: "udp", containerPort: 80, hostPort: 9000 },
        { protocol: "udp", containerPort: 81, hostPort: 9001 },
      ],
    ],
  ]
  test.each(good)("%s", (text, mappings) => expect(parsePublish(text)).toEqual(mappings as never))

  const bad: [string, string][] = [
    ["", "no port specified"],
    ["8080:", "no port specified"],
    ["abc", "invalid containerPort: abc"],
    ["abc:80", "invalid hostPort: abc"],
    ["8080:80/foo", "invalid proto: foo"],
    ["8080:65536", "invalid containerPort: 65536"],
    ["0:0", "invalid containerPort: 0"],
    ["1.2.3.999:80:80", "invalid IP address: 1.2.3.999"],
    ["localhost:80:80", "invalid IP address: localhost"],
    ["[::g]:80:80", "invalid IP address: ::g"],
    ["1:2:3:4", "invalid IP address: 1"],
    ["80-81:80-79", "the range ends before it begins"],
    ["8000-8002:80-81", "invalid ranges specified"],
    ["0-3:80", "invalid hostPort: 0-3"],
    ["53/tcp,foo", "invalid containerPort: foo"],
    ["published=8080", "names no target"],
    ["target=80,published", "should be name=value but got 'published'"],
    ["target=80,colour=red", 'unknown field "colour"'],
    ["target=80,mode=global", 'invalid publish mode "global"'],
    ["target=80,host_ip=localhost", "invalid IP address: localhost"],
  ]
  test.each(bad)("refuses %p", (text, words) => expect(() => parsePublish(text)).toThrow(words))

  test("a range of 10,000 ports is expanded at once", () => {
    expect(parsePublish("10000-19999:10000-19999/udp")).toHaveLength(10_000)
  })
})

test("parseExpose() takes ports and ranges, and refuses a host's end", () => {
  expect(parseExpose("80")).toEqual(["80/tcp"])
  expect(parseExpose("80,53/tcp,udp")).toEqual(["80/tcp", "53/tcp", "53/udp"])
  expect(parseExpose("53-54/udp")).toEqual(["53/udp", "54/udp"])
  expect(() => parseExpose("8080:80")).toThrow("invalid format of an exposed port")
})
