/** Who reaches whom across networks by IPv6: the same as by IPv4 (isolation.test.ts), and by addresses of a link besides. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { needPrograms } from "../../test/support/programs.ts"
import type { NetworkOptions } from "./network-options.ts"
import type { EndpointStatus, Network } from "./network.ts"
import { kernelHasIpv6 } from "../sys/net/has-ipv6.ts"
import { openTestHost, type Peer, type TestHost } from "./test-host.ts"

const skip = process.getuid?.() !== 0 ? "needs root" : !kernelHasIpv6() && "no IPv6 here"
if (skip !== false) console.log(`isolation tests of IPv6 skipped: ${skip}`)
else needPrograms("ip", "nft", "nsenter", "ping", "socat", "ss", "timeout", "unshare")

const HOST = "2001:db8:1::1"
const OUTSIDE = "2001:db8:1::2"
const option = (key: string, value: string): NetworkOptions => ({ driverOptions: { [key]: value } })

interface Member {
  peer: Peer
  status: EndpointStatus
  id: string
  /** Its own, on the link. */
  link: string
}

const six = ({ status }: Member): string => status.address6 ?? "none"

describe.skipIf(skip !== false)("networks of one store, by IPv6", () => {
  let host: TestHost
  let outside: Peer
  let lastId = 0

  beforeAll(async () => {
    host = await openTestHost()
    outside = await host.peer()
    await host.run("ip", "link", "add", "out0", "type", "veth", "peer", "name", "out1", "netns", `${outside.pid}`)
    await outside.run("sh", "-c", `ip link set lo up; ip addr add ${OUTSIDE}/64 dev out1 nodad; ip link set out1 up`)
    await host.run("sh", "-c", `ip addr add ${HOST}/64 dev out0 nodad; ip link set out0 up`)
    await host.run("sh", "-c", `until ping -c1 -W1 ${OUTSIDE} > /dev/null; do :; done`)
    await host.run("ip", "route", "add", "default", "via", OUTSIDE)
    await outside.run("ip", "route", "add", "fd00::/8", "via", HOST)
    await outside.serve("tcp", 9000, "outside", "IPv6")
  })
  afterAll(() => host?.[Symbol.dispose]())

  const network = (name: string, options: NetworkOptions = {}): Promise<Network> =>
    host.networks.create({ name, options })

  const call = async (address: string, port: number, from?: Peer): Promise<string> => {
    const script = `timeout 2 socat -u TCP6:[${address}]:${port},connect-timeout=0.5 - 2>/dev/null || true`
    return (await (from ?? host).run("sh", "-c", script)) || "closed"
  }

  /** A container that answers on port 80. */
  async function member(on: Network, ports: number[] = []): Promise<Member> {
    const peer = await host.peer()
    const id = `e${++lastId}`
    const published = ports.map((hostPort) => ({ protocol: "tcp" as const, containerPort: 80, hostPort }))
    const status = await host.networks.setup(on, host.endpoint(peer, id, { ports: published }))
    await peer.serve("tcp", 80, id, "IPv6")
    const addresses = await peer.run("ip", "-6", "-o", "addr", "show", "dev", "eth0", "scope", "link")
    return { peer, status, id, link: /inet6 (fe80[^/]+)/.exec(addresses)?.[1] ?? "none" }
  }
  test("are apart: neither an address, one of the link, nor the other's gateway answers, a published port does", async () => {
    const [one, two] = [await network("one"), await network("two")]
    const [from, to, near] = [await member(one), await member(two, [8600]), await member(one)]
    expect(await call(six(near), 80, from.peer)).toStartWith(`${near.id} `)
    expect(await call(`${near.link}%eth0`, 80, from.peer)).toStartWith(`${near.id} `)
    for (const address of [six(to), `${to.link}%eth0`]) expect(await call(address, 80, from.peer)).toBe("closed")
    const answers = (address: string): Promise<string> =>
      from.peer.run("sh", "-c", `ping -c1 -W1 ${address} >/dev/null && echo answers`)
    expect(await answers(one.gateway6 ?? "")).toBe("answers")
    for (const address of [two.gateway6 ?? "", six(to)]) expect(await answers(address)).toBe("")
    for (const gateway of [one.gateway6, two.gateway6])
      expect(await call(gateway ?? "", 8600, from.peer)).toStartWith(`${to.id} `)
    expect(await call(six(to), 80, outside)).toBe("closed")
    expect(await call(HOST, 8600, outside)).toStartWith(`${to.id} [2001:0db8:0001:`)
  })

  test("of which one is internal: it has no way out or in, but for its own members and the host", async () => {
    const [inner, open] = [await network("inner", { internal: true }), await network("open")]
    const [hidden, near, other] = [await member(inner), await member(inner), await member(open, [8601])]
    expect(await hidden.peer.run("ip", "-6", "route", "show", "default")).toBe("")
    // whoever has the right to may make one for himself
    await hidden.peer.run("ip", "-6", "route", "add", "default", "via", inner.gateway6 ?? "")
    expect(await call(six(near), 80, hidden.peer)).toStartWith(near.id)
    for (const [address, port] of [
      [OUTSIDE, 9000],
      [six(other), 80],
      [inner.gateway6 ?? "", 8601],
      [HOST, 8601],
    ] as const)
      expect([address, await call(address, port, hidden.peer)]).toEqual([address, "closed"])
    for (const from of [outside, other.peer]) expect(await call(six(hidden), 80, from)).toBe("closed")
    expect(await call(six(hidden), 80)).toStartWith(hidden.id)
  })

  test("with enable_icc=false: members reach the outside and published ports, and not each other, by their link neither", async () => {
    const shy = await network("shy", option("com.docker.network.bridge.enable_icc", "false"))
    const [one, other] = [await member(shy), await member(shy, [8603])]
    expect(await call(OUTSIDE, 9000, one.peer)).toStartWith("outside")
    expect(await call(shy.gateway6 ?? "", 8603, one.peer)).toStartWith(`${other.id} `)
    for (const address of [six(other), `${other.link}%eth0`]) expect(await call(address, 80, one.peer)).toBe("closed")
    // nor by way of the host
    await one.peer.run("sh", "-c", `ip -6 route add ${six(other)}/128 via ${shy.gateway6} dev eth0`)
    expect(await call(six(other), 80, one.peer)).toBe("closed")
  })

  test("with enable_ip_masquerade=false: a member is seen outside by its own address", async () => {
    const bare = await network("bare", option("com.docker.network.bridge.enable_ip_masquerade", "false"))
    const one = await member(bare)
    expect(await call(OUTSIDE, 9000, one.peer)).toContain("outside [fd")
    expect(await call(six(one), 80, outside)).toBe("closed")
  })

  test("with isolate=false: reached from one with isolate=true, and from no strict one", async () => {
    const open = await network("loose", option("isolate", "false"))
    const closed = await network("closed", option("isolate", "true"))
    const strict = await network("strict", option("isolate", "strict"))
    const [a, b, c] = [await member(open), await member(closed), await member(strict)]
    expect(await call(six(a), 80, b.peer)).toStartWith(`${a.id} `)
    expect(await call(six(b), 80, a.peer)).toStartWith(`${b.id} `)
    for (const from of [a.peer, b.peer]) expect(await call(six(c), 80, from)).toBe("closed")
    expect(await call(six(a), 80, c.peer)).toBe("closed")
  })

  test("what is refused everywhere is refused by IPv6 too, from the address of the link as well", async () => {
    const open = host.networks.get("open")
    const [free, bound] = [await member(open), await host.peer()]
    const refuse = [{ kind: "addresses", address: "0.0.0.0", prefixLength: 0 }] as const
    await host.networks.setup(open, host.endpoint(bound, "r1", { refuse }))
    for (const address of [six(free), `${free.link}%eth0`]) expect(await call(address, 80, bound)).toBe("closed")
    expect(await call(OUTSIDE, 9000, bound)).toBe("closed")
  })
})
