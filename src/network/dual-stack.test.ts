/** IPv6 on a bridge of the test's own: what real sockets reach from inside, from the host, and from a neighbour of the host. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { needPrograms } from "../../test/support/programs.ts"
import type { EndpointStatus, Network, PortReservation } from "./network.ts"
import { kernelHasIpv6 } from "../sys/net/has-ipv6.ts"
import { openTestHost, type Peer, type TestHost } from "./test-host.ts"

const skip = process.getuid?.() !== 0 ? "needs root" : !kernelHasIpv6() && "no IPv6 here"
if (skip !== false) console.log(`dual-stack tests skipped: ${skip}`)
else needPrograms("ip", "nft", "nsenter", "ping", "socat", "ss", "sysctl", "timeout", "unshare")

/** 2001:db8:1::1 is the host, ::2 the neighbour. */
const HOST = "2001:db8:1::1"
const NEIGHBOUR = "2001:db8:1::2"

const id = (text: string): string => text.padEnd(64, "0")
const published = (hostPort: number, hostAddress?: string) =>
  ({ protocol: "tcp", containerPort: 80, hostPort, ...(hostAddress && { hostAddress }) }) as const

describe.skipIf(skip !== false)("a bridge with IPv6", () => {
  let host: TestHost
  let network: Network
  let web: Peer
  let other: Peer
  let neighbour: Peer
  let webStatus: EndpointStatus
  let otherStatus: EndpointStatus
  let held: PortReservation
  const victim = (): string => otherStatus.address6 ?? ""

  const table = (): string => `skiff_${network.bridge.slice(2, -1)}`
  const sh = (peer: Peer | undefined, script: string): Promise<string> =>
    (peer ?? host).run("sh", "-c", `${script} 2>&1 || true`)
  const call = async (address: string, port: number, from?: Peer): Promise<string> =>
    (await sh(from, `(timeout 2 socat -u TCP6:[${address}]:${port},connect-timeout=1 - 2>/dev/null)`)) || "closed"
  const callUdp = async (address: string, port: number, from?: Peer): Promise<string> =>
    (await sh(
      from,
      `for try in 0.4 0.8 1.2; do a=$(echo x | socat -t$try - UDP6:[${address}]:${port} 2>/dev/null); [ -n "$a" ] && break; done; echo "$a"`,
    )) || "closed"

  beforeAll(async () => {
    host = await openTestHost()
    // its answers to ::1 get lost where bridges translate addresses
    await sh(undefined, "sysctl -w net.bridge.bridge-nf-call-ip6tables=0")
    neighbour = await host.peer()
    for (const one of [undefined, neighbour]) await sh(one, "sysctl -w net.ipv6.conf.default.accept_dad=0")
    await host.run("ip", "link", "add", "out0", "type", "veth", "peer", "name", "out1", "netns", `${neighbour.pid}`)
    await sh(
      undefined,
      `ip addr add ${HOST}/64 dev out0 nodad; ip link set out0 up; ip -6 route add default via ${NEIGHBOUR}`,
    )
    await sh(neighbour, `ip link set lo up; ip addr add ${NEIGHBOUR}/64 dev out1 nodad; ip link set out1 up`)
    network = host.networks.get("bridge")
    // a new link hears nobody until the kernel has looked at its carrier
    await sh(undefined, `until ping -c1 -W1 ${NEIGHBOUR} > /dev/null; do :; done`)
    // a neighbour that knows where containers are
    await sh(neighbour, `ip -6 route add ${network.subnet6} via ${HOST}`)
    ;[web, other] = [await host.peer(), await host.peer()]
    const ports = [
      published(8080),
      { protocol: "udp", containerPort: 53, hostPort: 5353 } as const,
      published(8081, "::1"),
      published(8082, HOST),
      published(8083, "127.0.0.1"),
      published(8084, "0.0.0.0"),
      published(8085, "::"),
    ]
    held = await host.networks.reserve(network, { containerId: id("aa"), ports })
    webStatus = await host.networks.setup(network, host.endpoint(web, "aa", { ports, reservation: held }))
    otherStatus = await host.networks.setup(network, host.endpoint(other, "bb"))
    await Promise.all([
      web.serve("tcp", 80, "web", "IPv6"),
      web.serve("udp", 53, "dns", "IPv6"),
      web.serve("tcp", 22, "private", "IPv6"),
      neighbour.serve("tcp", 9000, "outside", "IPv6"),
      other.serve("tcp", 81, "other", "IPv6"),
    ])
  })
  afterAll(() => {
    held?.[Symbol.dispose]()
    host?.[Symbol.dispose]()
  })

  test("has a range of its own (RFC 4193), and containers the number in it that they have in the other", async () => {
    expect(network.subnet6).toMatch(/^fd[0-9a-f:]+::\/64$/)
    expect(network.gateway6).toBe(network.subnet6?.replace("/64", "1"))
    expect(webStatus).toMatchObject({
      address: "172.17.0.2",
      address6: network.subnet6?.replace("/64", "2"),
      prefixLength6: 64,
      gateway6: network.gateway6,
    })
    const addresses = await web.run("ip", "-6", "-o", "addr", "show", "dev", "eth0")
    expect(addresses).toContain(`inet6 ${webStatus.address6}/64 scope global nodad`)
    expect(addresses).toContain("inet6 fe80::42:acff:fe11:2/64 scope link")
    expect(addresses).not.toContain("tentative")
    expect(await web.run("ip", "-6", "route", "show", "default")).toContain(`via ${network.gateway6} dev eth0`)
    for (const setting of ["accept_ra", "autoconf", "accept_dad"])
      expect(await web.run("cat", `/proc/sys/net/ipv6/conf/eth0/${setting}`)).toBe("0")
  })

  test("containers reach each other, and what is outside by the host's address", async () => {
    expect(await call(otherStatus.address6 ?? "", 81, web)).toStartWith("other")
    expect(await call(NEIGHBOUR, 9000, web)).toBe(`outside [${full(HOST)}]`)
  })

  test("a published port is reached from outside, and the container sees who calls", async () => {
    expect(await call(HOST, 8080, neighbour)).toBe(`web [${full(NEIGHBOUR)}]`)
    expect(await callUdp(HOST, 5353, neighbour)).toBe(`dns [${full(NEIGHBOUR)}]`)
  })

  test("a published port is reached from the host, by ::1 too, from its own container and from its neighbours", async () => {
    for (const address of [HOST, "::1"]) {
      expect(await call(address, 8080)).toStartWith("web")
      expect(await callUdp(address, 5353)).toStartWith("dns")
    }
    expect(await call(HOST, 8080, web)).toStartWith("web")
    expect(await call(HOST, 8080, other)).toStartWith("web")
    expect(await call(network.gateway6 ?? "", 8080, other)).toStartWith("web")
  })

  test("a port of one address, or of one family, is reached there alone", async () => {
    expect(await call("::1", 8081)).toStartWith("web")
    expect(await call(HOST, 8081, neighbour)).toBe("closed")
    expect(await call(HOST, 8082, neighbour)).toStartWith("web")
    for (const port of [8083, 8084]) expect(await call(HOST, port, neighbour)).toBe("closed")
    expect(await call(HOST, 8085, neighbour)).toStartWith("web")
    const listeners = await host.run("ss", "-Hlnt")
    const heard = [...listeners.matchAll(/(\S+)%v\S+:(\d+) /g)].map(([, address, port]) => `${port} ${address}`)
    expect(heard.toSorted()).toEqual([
      "8080 0.0.0.0",
      "8080 [::]",
      "8081 [::1]",
      `8082 [${HOST}]`,
      "8083 127.0.0.1",
      "8084 0.0.0.0",
      "8085 [::]",
    ])
  })

  test("nothing else of a container is reached by who has a route to it", async () => {
    expect(await call(webStatus.address6 ?? "", 22)).toStartWith("private")
    expect(await call(webStatus.address6 ?? "", 22, neighbour)).toBe("closed")
    expect(await call(webStatus.address6 ?? "", 80, neighbour)).toBe("closed")
  })

  test("of two containers one may have a port of IPv4 and another that of IPv6, and none what overlaps", async () => {
    const ask = async (hostAddress?: string): Promise<void> => {
      using _ = await host.networks.reserve(network, {
        containerId: id("cc"),
        ports: [{ protocol: "tcp", containerPort: 80, hostPort: 8084, ...(hostAddress && { hostAddress }) }],
      })
    }
    for (const taken of [undefined, "0.0.0.0", "127.0.0.1"])
      await expect(ask(taken)).rejects.toMatchObject({ code: "AlreadyExists", data: { takenBy: id("aa") } })
    for (const free of ["::", "::1", HOST]) await ask(free)
    await host.networks.teardown(network, id("cc"), undefined)
  })

  test("a port that a program of the host has on IPv6 alone is taken", async () => {
    using server = Bun.listen({ hostname: "::1", port: 8090, socket: { data() {} } })
    expect(server.port).toBe(8090)
    const taken = host.networks.reserve(network, {
      containerId: id("cc"),
      ports: [{ protocol: "tcp", containerPort: 80, hostPort: 8090 }],
    })
    await expect(taken).rejects.toMatchObject({
      code: "AlreadyExists",
      message: expect.stringContaining("a program of the host"),
    })
  })

  test("a random port is one that both families have", async () => {
    using reservation = await host.networks.reserve(network, {
      containerId: id("cc"),
      ports: [{ protocol: "tcp", containerPort: 80, hostPort: 0 }],
    })
    expect(reservation.sockets).toHaveLength(2)
    await host.networks.teardown(network, id("cc"), undefined)
  })

  test("--ip6 is given, kept from others, and refused where it cannot be had", async () => {
    const peer = await host.peer()
    const address6 = network.subnet6?.replace("/64", "4") ?? ""
    const status = await host.networks.setup(network, host.endpoint(peer, "dd", { address6 }))
    expect(status).toMatchObject({ address6 })
    // 172.17.0.4 follows, whose number somebody has by now
    const next = await host.networks.setup(network, host.endpoint(await host.peer(), "ee", { address: "172.17.0.4" }))
    expect(next.address6).toBe(network.subnet6?.replace("/64", "5"))
    const ask = (wanted: string) =>
      host.networks.reserve(network, { containerId: id("ff"), ports: [], address6: wanted })
    await expect(ask(address6)).rejects.toMatchObject({ code: "AlreadyExists" })
    for (const bad of [network.gateway6 ?? "", "2001:db8::5", "nothing"])
      await expect(ask(bad)).rejects.toMatchObject({ code: "InvalidArgument" })
    for (const text of ["dd", "ee"]) await host.networks.teardown(network, id(text), undefined)
  })

  test("a network without IPv6 has none but loopback, and no port of it (CVE-2024-32473)", async () => {
    const plain = host.addNetwork("plain", "10.78.0.0/24", { ipv6: false })
    const peer = await host.peer()
    const ports = [{ protocol: "tcp", containerPort: 80, hostPort: 8091 }] as const
    const status = await host.networks.setup(plain, host.endpoint(peer, "a1", { ports }))
    expect(status.address6).toBeUndefined()
    expect(await peer.run("ip", "-6", "-o", "addr", "show", "dev", "eth0")).toBe("")
    expect(await peer.run("cat", "/proc/sys/net/ipv6/conf/eth0/disable_ipv6")).toBe("1")
    expect(await host.run("ip", "-6", "-o", "addr", "show", "dev", plain.bridge)).toBe("")
    expect(await host.run("ss", "-Hlnt6", "sport = :8091")).toBe("")
    const loopback = host.networks.reserve(plain, {
      containerId: id("a2"),
      ports: [{ ...ports[0], hostPort: 8092, hostAddress: "::1" }],
    })
    await expect(loopback).rejects.toMatchObject({ code: "FailedPrecondition", field: "ports" })
    // one that goes on to a network that has it, has it there
    const second = await host.networks.setup(
      network,
      host.endpoint(peer, "a1", { interface: "eth1", defaultRoute: false }),
    )
    expect(await peer.run("ip", "-6", "-o", "addr", "show", "dev", "eth1")).toContain(second.address6 ?? "no address")
    expect(await peer.run("ip", "-6", "-o", "addr", "show", "dev", "eth0")).toBe("")
    for (const one of [plain, network]) await host.networks.teardown(one, id("a1"), undefined)
  })

  test("a container whose own settings turn it off gets none", async () => {
    const peer = await host.peer()
    await sh(peer, "sysctl -w net.ipv6.conf.all.disable_ipv6=1")
    const ports = [{ protocol: "tcp" as const, hostPort: 8393, containerPort: 80 }]
    const status = await host.networks.setup(network, host.endpoint(peer, "a3", { ports }))
    expect(status.address6).toBeUndefined()
    // nor is anybody told of one, or led to it
    const sql = "SELECT address6 FROM network_endpoints WHERE container_id = ?"
    expect(host.db.get(sql, id("a3"))).toEqual({ address6: "" })
    expect(await host.run("nft", "list", "ruleset")).not.toContain(`8393 : fd`)
    expect(await peer.run("ip", "-6", "-o", "addr", "show")).toBe("")
    expect(await peer.run("ip", "route")).toContain("default via 172.17.0.1")
    await host.networks.teardown(network, id("a3"), undefined)
  })

  describe("a container with all rights on its own interface", () => {
    test("sends with no address but its own", async () => {
      const stolen = network.subnet6?.replace("/64", "99") ?? ""
      await sh(web, `ip addr add ${stolen}/64 dev eth0 nodad`)
      expect(await sh(web, `ping -c1 -W1 -I ${stolen} ${network.gateway6} > /dev/null && echo heard`)).toBe("")
      expect(
        await sh(web, `ping -c9 -i0.3 -W1 -I ${webStatus.address6} ${network.gateway6} > /dev/null && echo heard`),
      ).toBe("heard")
      await sh(web, `ip addr del ${stolen}/64 dev eth0`)
    })

    test("answers for no neighbour and not for the gateway", async () => {
      await sh(undefined, `ip -6 neigh flush dev ${network.bridge}`)
      await sh(web, `ip addr add ${victim()}/128 dev eth0 nodad; ip addr add ${network.gateway6}/128 dev eth0 nodad`)
      // unasked: the kernel tells all of an address that it gets, and again when it is asked to
      await sh(web, "sysctl -w net.ipv6.conf.eth0.ndisc_notify=1; ip link set eth0 down; ip link set eth0 up")
      expect(await call(victim(), 81)).toStartWith("other")
      const known = await sh(undefined, `ip -6 neigh show ${victim()} dev ${network.bridge}`)
      expect(known).toContain(otherStatus.macAddress)
      const gateway = await sh(
        other,
        `ip -6 neigh flush dev eth0; ping -c1 -W1 ${network.gateway6} > /dev/null; ip -6 neigh show ${network.gateway6}`,
      )
      expect(gateway).toContain("02:42:ac:11:00:01")
      await sh(web, `ip addr del ${victim()}/128 dev eth0; ip addr del ${network.gateway6}/128 dev eth0`)
      await sh(
        web,
        `ip addr replace ${webStatus.address6}/64 dev eth0 nodad; ip -6 route replace default via ${network.gateway6}`,
      )
    })

    test("is no router: what routers say ends at its interface", async () => {
      // somebody who would hear one
      await sh(other, "sysctl -w net.ipv6.conf.eth0.accept_ra=2")
      await sh(undefined, `sysctl -w net.ipv6.conf.${network.bridge}.accept_ra=2`)
      await web.run("python3", "-c", ROUTER_ADVERTISEMENT, "eth0")
      const dropped = "icmpv6 type nd-router-advert counter"
      await sh(undefined, `nft insert rule bridge ${table()} guard ${dropped}`)
      await web.run("python3", "-c", ROUTER_ADVERTISEMENT, "eth0")
      expect(await sh(undefined, `nft list chain bridge ${table()} guard`)).toContain(`${dropped} packets 1`)
      expect(await sh(other, "ip -6 route show default")).not.toContain("fe80::")
      expect(await sh(undefined, `ip -6 route show default dev ${network.bridge}`)).toBe("")
    })

    test("an advertisement or a redirect gets no further than the bridge, also behind an extension header", async () => {
      const kinds = "{ nd-router-advert, nd-redirect }"
      await sh(other, "nft add table ip6 seen")
      await sh(other, "nft 'add chain ip6 seen in { type filter hook prerouting priority -400; }'")
      await sh(other, `nft 'add rule ip6 seen in icmpv6 type ${kinds} counter'`)
      const dropped = `icmpv6 type ${kinds} counter`
      await sh(undefined, `nft insert rule bridge ${table()} guard '${dropped}'`)
      for (const type of ["134", "137"])
        for (const header of ["plain", "hop-by-hop"])
          await web.run("python3", "-c", ROUTER_ADVERTISEMENT, "eth0", type, header)
      expect(await sh(undefined, `nft list chain bridge ${table()} guard`)).toContain(`${dropped} packets 4`)
      expect(await sh(other, "nft list chain ip6 seen in")).toContain("counter packets 0")
      await sh(other, "nft delete table ip6 seen")
    })
  })

  test("the rules come back whole after a flush", async () => {
    await host.run("nft", "flush", "ruleset")
    await host.networks.sweep(new Set([id("aa"), id("bb")]))
    for (const address of [HOST, "::1"]) expect(await call(address, 8080)).toStartWith("web")
    expect(await call(HOST, 8080, neighbour)).toStartWith("web")
    expect(await call(otherStatus.address6 ?? "", 81, web)).toStartWith("other")
  })

  test("::1 leads to nothing while br_netfilter would lose the answers, and who calls is told at once", async () => {
    await sh(undefined, "sysctl -w net.bridge.bridge-nf-call-ip6tables=1")
    if ((await sh(undefined, "cat /proc/sys/net/bridge/bridge-nf-call-ip6tables")) === "1") {
      await host.networks.sweep(new Set([id("aa"), id("bb")]))
      expect(await sh(undefined, "socat -u TCP6:[::1]:8080,connect-timeout=5 -")).toContain("refused")
      expect(await call(HOST, 8080, neighbour)).toStartWith("web")
      const asked = host.networks.reserve(network, { containerId: id("a6"), ports: [published(8094, "::1")] })
      await expect(asked).rejects.toMatchObject({ code: "FailedPrecondition", field: "ports" })
      await sh(undefined, "sysctl -w net.bridge.bridge-nf-call-ip6tables=0")
      await host.networks.sweep(new Set([id("aa"), id("bb")]))
    }
    expect(await call("::1", 8080)).toStartWith("web")
  })

  test("what an endpoint leaves is taken from all sets", async () => {
    const peer = await host.peer()
    const ports = [{ protocol: "tcp", containerPort: 80, hostPort: 8093 }] as const
    const status = await host.networks.setup(network, host.endpoint(peer, "a5", { ports }))
    const rules = async (): Promise<string> => await host.run("nft", "list", "ruleset")
    expect(await rules()).toContain(`8093 : ${status.address6} . 80`)
    await host.networks.teardown(network, id("a5"), status)
    expect(await rules()).not.toContain(status.address6 ?? "")
    expect(await call("::1", 8093)).toBe("closed")
  })
})

describe.skipIf(skip !== false)("a host without IPv6", () => {
  test("has containers and ports of IPv4 alone, without a word", async () => {
    using host = await openTestHost()
    await host.run("sysctl", "-w", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
    const network = host.networks.get("bridge")
    const peer = await host.peer()
    const ports = [{ protocol: "tcp", containerPort: 80, hostPort: 8080 }] as const
    const status = await host.networks.setup(network, host.endpoint(peer, "aa", { ports }))
    expect(status.address6).toBeUndefined()
    expect(await peer.run("ip", "-6", "-o", "addr", "show", "dev", "eth0")).toBe("")
    expect(await host.run("ip", "-6", "-o", "addr")).toBe("")
    expect(await host.run("cat", "/proc/sys/net/ipv6/conf/all/forwarding")).toBe("0")
    await peer.serve("tcp", 80, "web")
    expect(await host.run("sh", "-c", "socat -u TCP4:127.0.0.1:8080,connect-timeout=10 -")).toStartWith("web")
  })
})

describe.skipIf(skip !== false)("a host that hears its routers", () => {
  test("goes on hearing them, and keeps the route that it has from one, when it begins to forward", async () => {
    using host = await openTestHost()
    const router = await host.peer()
    await host.run("ip", "link", "add", "up0", "type", "veth", "peer", "name", "up1", "netns", `${router.pid}`)
    await host.run("ip", "link", "set", "up0", "up")
    await router.run("sh", "-c", "ip link set up1 up; sysctl -w net.ipv6.conf.up1.accept_dad=0")
    const routes = async (): Promise<string> => await host.run("ip", "-6", "route", "show", "default", "dev", "up0")
    while ((await routes()) === "") await router.run("python3", "-c", ROUTER_ADVERTISEMENT, "up1")
    await host.run("sysctl", "-w", "net.ipv6.conf.up0.accept_ra=1")
    await host.networks.setup(host.networks.get("bridge"), host.endpoint(await host.peer(), "aa"))
    expect(await host.run("cat", "/proc/sys/net/ipv6/conf/all/forwarding")).toBe("1")
    expect(await host.run("cat", "/proc/sys/net/ipv6/conf/up0/accept_ra")).toBe("2")
    expect(await routes()).toContain("via fe80::")
  })
})

/** As socat writes an address of the test's. */
function full(address: string): string {
  const [head = "", tail = ""] = address.split("::")
  const before = head.split(":")
  const groups = [...before, ...Array.from({ length: 7 - before.length }, () => "0"), tail]
  return groups.map((group) => group.padStart(4, "0")).join(":")
}

/**
 * Sends one to all nodes by the interface in argv[1], from the link's own address that follows from its hardware address. argv[2]: another
 * type, of a redirect; argv[3]: with a hop-by-hop header before it.
 */
const ROUTER_ADVERTISEMENT = `
import socket, struct, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
mac = s.getsockname()[4]
source = bytes.fromhex("fe80") + bytes(6) + bytes([mac[0] ^ 2]) + mac[1:3] + b"\\xff\\xfe" + mac[3:]
target = bytes.fromhex("ff02") + bytes(13) + b"\\x01"
kind = int(sys.argv[2]) if len(sys.argv) > 2 else 134
rest = struct.pack("!BBHII", 64, 0, 1800, 0, 0) if kind == 134 else bytes(4) + source + source
body = struct.pack("!BBH", kind, 0, 0) + rest + b"\\x01\\x01" + mac
data = source + target + struct.pack("!II", len(body), 58) + body
total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
while total >> 16: total = (total & 0xffff) + (total >> 16)
body = body[:2] + struct.pack("!H", ~total & 0xffff) + body[4:]
hop = struct.pack("!BBBBI", 58, 0, 1, 4, 0) if sys.argv[3:] == ["hop-by-hop"] else b""
packet = struct.pack("!IHBB", 6 << 28, len(hop + body), 0 if hop else 58, 255) + source + target + hop + body
s.send(bytes.fromhex("333300000001") + mac + b"\\x86\\xdd" + packet)
`
