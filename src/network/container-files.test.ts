import { describe, expect, test } from "bun:test"
import { hasOnlyLoopbackServers, hostnameFile, hostsFile, resolvConf } from "./container-files.ts"

describe("hostsFile()", () => {
  test("names localhost, the extra hosts, and last the container itself", () => {
    const text = hostsFile({
      hostname: "web",
      domainname: "example.org",
      address: "172.17.0.2",
      extraHosts: ["db:10.0.0.5", "host.docker.internal:host-gateway", "six:fd00::1"],
      hostGateway: "172.17.0.1",
    })
    expect(text.split("\n").slice(-5)).toEqual([
      "10.0.0.5\tdb",
      "172.17.0.1\thost.docker.internal",
      "fd00::1\tsix",
      "172.17.0.2\tweb.example.org web",
      "",
    ])
    expect(text).toStartWith("127.0.0.1\tlocalhost\n")
  })

  test("keeps the host's own text under --network host", () => {
    const text = hostsFile({
      hostname: "h",
      extraHosts: ["db:10.0.0.5"],
      hostText: "127.0.0.1 localhost\n9.9.9.9 nine\n\n",
    })
    expect(text).toBe("127.0.0.1 localhost\n9.9.9.9 nine\n10.0.0.5\tdb\n")
  })

  test.each([
    "a\n0.0.0.0 evil:1.2.3.4",
    "db:1.2.3.4\n6.6.6.6 evil",
    "db:nowhere",
    ":1.2.3.4",
    "#x:1.2.3.4",
    "gw:host-gateway",
  ])("refuses the extra host %j", (extra) => {
    expect(() => hostsFile({ hostname: "x", extraHosts: [extra] })).toThrow()
  })

  test("refuses a host name that would be a second line", () => {
    expect(() => hostsFile({ hostname: "x\n1.2.3.4 bank", address: "172.17.0.2", extraHosts: [] })).toThrow(
      "invalid host name",
    )
    expect(() => hostnameFile("x\ny")).toThrow("invalid host name")
    expect(hostnameFile("web")).toBe("web\n")
  })
})

test("an extra address has several names in podman's words, and none is a hostile one", () => {
  const input = { hostname: "web", extraHosts: ["a;b:10.0.0.5"] }
  expect(hostsFile(input)).toEndWith("10.0.0.5\ta b\n")
  expect(() => hostsFile({ ...input, extraHosts: ["a;\n:10.0.0.5"] })).toThrow("invalid host name")
})

describe("resolvConf()", () => {
  const input = { kind: "bridge", hostText: "", dns: [], search: [], options: [] } as const

  test("keeps the host's servers, search and options, without comments", () => {
    const hostText = "# made by hand\nsearch a.example b.example\nnameserver 10.0.0.2 # first\noptions edns0 ndots:2\n"
    expect(resolvConf({ ...input, hostText })).toBe(
      "nameserver 10.0.0.2\nsearch a.example b.example\noptions edns0 ndots:2\n",
    )
  })

  test("leaves out servers that a bridge without IPv6 cannot reach; falls back as docker does", () => {
    expect(resolvConf({ ...input, hostText: "nameserver 127.0.0.53\nnameserver fd00::1\nnameserver 10.0.0.2" })).toBe(
      "nameserver 10.0.0.2\n",
    )
    expect(resolvConf({ ...input, hostText: "nameserver 127.0.0.1" })).toBe("nameserver 8.8.8.8\nnameserver 8.8.4.4\n")
    expect(resolvConf({ ...input, hostText: "nameserver 127.0.0.1", forwarder: "169.254.1.3" })).toBe(
      "nameserver 169.254.1.3\n",
    )
  })

  test("keeps servers of IPv6 that a bridge with IPv6 leads to: not those of the loopback or of a link", () => {
    const hostText = "nameserver 2001:db8::53\nnameserver ::1\nnameserver fe80::53\nnameserver 10.0.0.2\n"
    expect(resolvConf({ ...input, hostText, hasIpv6: true })).toBe("nameserver 2001:db8::53\nnameserver 10.0.0.2\n")
  })

  test("asks the first one through pasta where there is pasta: its answers come from there", () => {
    const hostText = "nameserver 10.0.0.2\nnameserver 10.0.0.3\n"
    expect(resolvConf({ ...input, hostText, forwarder: "169.254.1.3" })).toBe(
      "nameserver 169.254.1.3\nnameserver 10.0.0.3\n",
    )
  })

  test("keeps them under --network host", () => {
    expect(resolvConf({ ...input, kind: "host", hostText: "nameserver 127.0.0.53\nnameserver ::1" })).toBe(
      "nameserver 127.0.0.53\nnameserver ::1\n",
    )
  })

  test("a network's domain is searched before the host's, unless others are asked for", () => {
    const asked = { ...input, hostText: "search a.example\n", resolvers: ["172.18.0.1"], searchDomains: ["dns.podman"] }
    expect(resolvConf(asked)).toBe("search dns.podman a.example\nnameserver 172.18.0.1\noptions ndots:0\n")
    expect(resolvConf({ ...asked, search: ["b.example"] })).toStartWith("search b.example\nnameserver ")
  })

  test("the resolvers of its networks are asked in place of all others, and names without a dot as they are", () => {
    const hostText = "nameserver 10.0.0.2\nsearch a.example\noptions edns0 ndots:5\n"
    const resolvers = ["172.18.0.1", "172.19.0.1", "172.20.0.1", "172.21.0.1"]
    expect(resolvConf({ ...input, hostText, resolvers, dns: ["192.0.2.1"] })).toBe(
      "nameserver 172.18.0.1\nnameserver 172.19.0.1\nnameserver 172.20.0.1\nsearch a.example\noptions edns0 ndots:0\n",
    )
    expect(resolvConf({ ...input, hostText, resolvers: ["172.18.0.1"], options: ["ndots:1"] })).toBe(
      "nameserver 172.18.0.1\nsearch a.example\noptions ndots:1\n",
    )
  })

  test("--dns, --dns-search and --dns-option each replace the host's; a dot clears the search", () => {
    const hostText = "nameserver 10.0.0.2\nsearch a.example\noptions ndots:2\n"
    expect(resolvConf({ ...input, hostText, dns: ["127.0.0.1"], search: ["."], options: ["rotate"] })).toBe(
      "nameserver 127.0.0.1\noptions rotate\n",
    )
  })

  test("refuses what would become a line of its own", () => {
    expect(() => resolvConf({ ...input, dns: ["1.1.1.1\nnameserver 6.6.6.6"] })).toThrow("invalid DNS server")
    expect(() => resolvConf({ ...input, search: ["a\nnameserver 6.6.6.6"] })).toThrow("invalid DNS search")
  })

  test("a stub on the loopback is known as such", () => {
    expect(hasOnlyLoopbackServers("nameserver 127.0.0.53\n")).toBe(true)
    expect(hasOnlyLoopbackServers("nameserver 127.0.0.53\nnameserver 10.0.0.2\n")).toBe(false)
    expect(hasOnlyLoopbackServers("")).toBe(false)
  })
})
