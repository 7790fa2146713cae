import { expect, test } from "bun:test"
import { parseExposedPort } from "./exposed-ports.ts"
import { proxyVariables } from "./proxy.ts"

test.each<[text: string, ports: string[]]>([
  ["80", ["80/tcp"]],
  ["53/UDP", ["53/udp"]],
  ["1-3/sctp", ["1/sctp", "2/sctp", "3/sctp"]],
  ["80/", ["80/tcp"]],
  ["8080:80", ["80/tcp"]],
  ["127.0.0.1:8080:80", ["80/tcp"]],
  ["[::1]:8080:80/udp", ["80/udp"]],
  ["8000-8010:80", ["80/tcp"]],
  ["0", ["0/tcp"]],
])("EXPOSE %s", (text, ports) => expect(parseExposedPort(text).ports).toEqual(ports))

test.each(["", "/tcp", "http", "80/http", "65536", "3-1", "1-2-3", "-1", "1-", "1-2:3-5", "x:80:80", "80 81"])(
  "EXPOSE refuses %p",
  (text) => expect(() => parseExposedPort(text)).toThrow(expect.objectContaining({ code: "InvalidArgument" })),
)

test("proxy arguments become variables in both cases", () => {
  expect(proxyVariables({ http_proxy: "h", NO_PROXY: "n", other: "x" })).toEqual([
    "HTTP_PROXY=h",
    "http_proxy=h",
    "NO_PROXY=n",
    "no_proxy=n",
  ])
  expect(proxyVariables({})).toEqual([])
})
