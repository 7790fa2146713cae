/** Virtual ports on a real kernel: members, a host and a machine on its link call them. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { needPrograms } from "../../../test/support/programs.ts"
import { clusterNetwork, type ClusterNetwork } from "../../kube/services/cluster-network.ts"
import type { EndpointStatus, VirtualPort, VirtualPorts } from "../network.ts"
import { call, openTestHost, udpScript, type Peer, type TestHost } from "../test-host.ts"

const skip = process.getuid?.() === 0 ? false : "needs root"
if (skip !== false) console.log(`tests of virtual ports skipped: ${skip}`)
else needPrograms("ip", "nft", "nsenter", "socat", "ss", "timeout", "unshare")

const answers = async (times: number, from: Peer | undefined, address = "10.96.0.7", number = 80) => {
  const heard = new Set<string>()
  for (let index = 0; index < times; index++) heard.add(await call("tcp", address, number, from))
  return [...heard].toSorted()
}

const many = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    address: `10.244.${200 + (index >> 8)}.${index & 255}`,
    port: 80,
  }))

describe.skipIf(skip !== false)("virtual ports", () => {
  let host: TestHost
  let network: ClusterNetwork
  let ports: VirtualPorts
  let outside: Peer
  let client: Member
  let servers: Member[]

  interface Member {
    peer: Peer
    status: EndpointStatus
  }

  beforeAll(async () => {
    host = await openTestHost()
    outside = await host.peer()
    await host.run("ip", "link", "add", "out0", "type", "veth", "peer", "name", "out1", "netns", `${outside.pid}`)
    await host.run("sh", "-c", "ip addr add 198.51.100.1/24 dev out0; ip link set out0 up")
    await outside.run("sh", "-c", "ip link set lo up; ip addr add 198.51.100.2/24 dev out1; ip link set out1 up")
    network = await clusterNetwork(host.networks)
    ports = await host.networks.virtualPorts(network)
    client = await member("client")
    servers = [await member("a"), await member("b"), await member("c")]
    for (const [index, { peer }] of servers.entries()) {
      await peer.serve("tcp", 8080, "abc"[index] ?? "")
      await peer.serve("tcp", 8086, "abc"[index] ?? "", "IPv6")
      await peer.serve("udp", 5300, "abc"[index] ?? "")
    }
  })
  afterAll(() => host?.[Symbol.dispose]())

  async function member(id: string): Promise<Member> {
    const peer = await host.peer()
    return { peer, status: await host.networks.setup(network, host.endpoint(peer, id)) }
  }
  const at = (...indexes: number[]) =>
    indexes.map((index) => ({ address: servers[index]?.status.address ?? "", port: 8080 }))
  const port = (extra: Partial<VirtualPort> = {}): VirtualPort => ({
    key: "default/web:http",
    protocol: "tcp",
    port: 80,
    addresses: ["10.96.0.7"],
    balanced: [],
    endpoints: at(0, 1, 2),
    ...extra,
  })

  const udp = (index: number): VirtualPort =>
    port({
      key: "default/dns:dns",
      protocol: "udp",
      port: 53,
      endpoints: [{ address: servers[index]?.status.address ?? "", port: 5300 }],
    })
  const ask = () => client.peer.run("sh", "-c", udpScript("UDP:10.96.0.7:53,sourceport=4444,reuseaddr"))

  test("are answered by each endpoint in turn, who sees the caller's own address", async () => {
    await ports.replace([port()])
    const own = client.status.address
    expect(await answers(25, client.peer)).toEqual([`a ${own}`, `b ${own}`, `c ${own}`])
    expect(await answers(25, undefined)).toEqual(["a", "b", "c"].map((name) => `${name} ${network.gateway}`))
    // nobody else knows of them
    await outside.run("ip", "route", "add", "10.0.0.0/8", "via", "198.51.100.1")
    expect(await answers(1, outside)).toEqual(["closed"])
  })

  test("lead a member to itself too", async () => {
    await ports.change([port({ endpoints: at(0) })])
    const [self] = servers
    expect(await answers(2, self?.peer)).toEqual([`a ${network.gateway}`])
  })

  test("refuse at once what has no endpoint, and what is nobody's", async () => {
    await ports.change([port({ endpoints: [], nodePort: 30080 })])
    for (const from of [client.peer, undefined])
      for (const [address, number] of [
        ["10.96.0.7", 80],
        ["10.96.0.7", 81],
        ["10.96.9.9", 80],
        [network.gateway, 30080],
      ] as const) {
        const words = `socat -u TCP:${address}:${number},connect-timeout=5 - 2>&1 || true`
        expect(await (from?.run ?? host.run)("sh", "-c", words)).toContain("refused")
      }
  })

  test("are asked by a port of the host from outside, from itself and from members", async () => {
    await ports.change([port({ endpoints: at(1), nodePort: 30080, balanced: ["10.112.0.1"] })])
    expect(await answers(2, outside, "198.51.100.1", 30080)).toEqual(["b 198.51.100.2"])
    expect(await answers(2, outside, "10.112.0.1", 80)).toEqual(["b 198.51.100.2"])
    expect(await answers(2, undefined, "127.0.0.1", 30080)).toEqual([`b ${network.gateway}`])
    expect(await answers(2, undefined, "198.51.100.1", 30080)).toHaveLength(1)
    expect(await answers(2, client.peer, network.gateway, 30080)).toEqual([`b ${client.status.address}`])
    expect(await answers(2, client.peer, "10.112.0.1")).toEqual([`b ${client.status.address}`])
  })

  test("are asked by a balanced address from the ranges that they name, and by an external one from everywhere", async () => {
    const [balanced, external] = [["10.112.0.1"], ["192.0.2.9"]]
    await outside.run("ip", "route", "add", "192.0.2.9", "via", "198.51.100.1")
    const bounded = (...sources: [first: string, last: string][]) =>
      port({
        endpoints: at(1),
        balanced,
        external,
        sources: sources.map(([first, last]) => ({ first, last })),
      })
    const all = () => Promise.all([call("tcp", "10.112.0.1", 80, outside), call("tcp", "10.112.0.1", 80, client.peer)])
    await ports.change([bounded(["198.51.100.0", "198.51.100.255"], ["203.0.113.0", "203.0.113.0"])])
    expect(await all()).toEqual(["b 198.51.100.2", "closed"])
    expect(await call("tcp", "192.0.2.9", 80, client.peer)).toBe(`b ${client.status.address}`)
    expect(await call("tcp", "192.0.2.9", 80, outside)).toBe("b 198.51.100.2")
    expect(await call("tcp", "10.96.0.7", 80, client.peer)).toBe(`b ${client.status.address}`)
    // of the same beginning, and another end; and of the other family alone
    await ports.change([bounded(["198.51.100.0", "198.51.100.1"])])
    expect(await all()).toEqual(["closed", "closed"])
    await ports.change([bounded(["fd00::", "fd00::ffff"])])
    expect(await all()).toEqual(["closed", "closed"])
    const other = await host.networks.virtualPorts(network)
    await other.replace([bounded(["0.0.0.0", "255.255.255.255"])])
    expect(await all()).toEqual(["b 198.51.100.2", `b ${client.status.address}`])
    await ports.replace([port({ endpoints: at(1), balanced })])
    expect(await all()).toEqual(["b 198.51.100.2", `b ${client.status.address}`])
    expect(await call("tcp", "192.0.2.9", 80, outside)).not.toContain("b")
    expect(await host.run("sh", "-c", "nft list ruleset | grep -c 198.51.100 || true")).toBe("0")
  })

  test("are asked by a port of the host on ::1, as long as the kernel translates it", async () => {
    const [setting] = ["/proc/sys/net/bridge/bridge-nf-call-ip6tables"]
    const filter = (value: string) => host.run("sh", "-c", `[ ! -e ${setting} ] || echo ${value} > ${setting}`)
    const askHost = () => host.run("sh", "-c", "timeout 2 socat -u TCP6:[::1]:30080,connect-timeout=0.5 - 2>&1 || true")
    const endpoints = servers.map(({ status }) => ({ address: status.address6 ?? "", port: 8086 }))
    await filter("0")
    await ports.replace([port({ endpoints: [...at(1), ...endpoints], nodePort: 30080 })])
    expect(await askHost()).toMatch(/^[abc] /)
    // of IPv4 alone
    await ports.change([port({ endpoints: at(1), nodePort: 30080 })])
    expect(await askHost()).toContain("refused")
    await ports.change([port({ endpoints: [...at(1), ...endpoints], nodePort: 30080 })])
    await filter("1")
    const isFiltered = (await host.run("sh", "-c", `cat ${setting} 2>/dev/null || true`)) === "1"
    expect(await ports.isThere()).toBe(!isFiltered)
    await ports.replace([port({ endpoints: [...at(1), ...endpoints], nodePort: 30080 })])
    if (isFiltered) expect(await askHost()).toContain("refused")
  })

  test("keep a caller with its endpoint, until that is gone", async () => {
    await ports.change([port({ staySeconds: 600 })])
    const [first] = await answers(1, client.peer)
    for (const endpoints of [at(0, 1, 2), at(2, 1, 0)]) {
      await ports.change([port({ staySeconds: 600, endpoints })])
      expect(await answers(12, client.peer)).toEqual([first ?? ""])
    }
    const left = [0, 1, 2].filter((index) => !first?.startsWith("abc"[index] ?? ""))
    await ports.change([port({ staySeconds: 600, endpoints: at(...left) })])
    const [second = ""] = await answers(12, client.peer)
    expect(second).not.toBe(first ?? "")
    await ports.change([port({ staySeconds: 600 })])
    expect(await answers(12, client.peer)).toEqual([second])
  })

  test("lead datagrams of one who never stops elsewhere when his endpoint is gone", async () => {
    await ports.change([udp(0)])
    expect(await ask()).toStartWith("a ")
    await ports.change([udp(1)])
    expect(await ask()).toStartWith("b ")
    await ports.change([], ["default/dns:dns"])
  })

  test("are answered by IPv6 too", async () => {
    const { services6 } = network.options.virtual
    const address = services6?.replace("/112", "7") ?? ""
    const endpoints = servers.map(({ status }) => ({ address: status.address6 ?? "", port: 8086 }))
    await ports.change([port({ addresses: ["10.96.0.7", address], endpoints: [...at(0, 1, 2), ...endpoints] })])
    const ask6 = (from: Peer) => from.run("sh", "-c", `timeout 2 socat -u TCP6:[${address}]:80,connect-timeout=0.5 -`)
    const heard = new Set<string>()
    for (let index = 0; index < 20; index++) heard.add(await ask6(client.peer))
    expect([...heard].map((text) => text[0] ?? "").toSorted()).toEqual(["a", "b", "c"])
    await ports.change([port({ staySeconds: 60, addresses: [address], endpoints })])
    expect(new Set([await ask6(client.peer), await ask6(client.peer), await ask6(client.peer)]).size).toBe(1)
    const bounded = { addresses: [], balanced: [address], endpoints }
    const who = client.status.address6 ?? ""
    await ports.change([port({ ...bounded, sources: [{ first: who, last: who }] })])
    expect(await ask6(client.peer)).toMatch(/^[abc] /)
    await ports.change([port({ ...bounded, sources: [{ first: "fd00::", last: "fd00::1" }] })])
    expect(
      await client.peer.run("sh", "-c", `timeout 2 socat -u TCP6:[${address}]:80,connect-timeout=0.5 - 2>&1 || true`),
    ).toContain("refused")
  })

  test("are the same for who begins anew, and come back after a flush", async () => {
    await ports.replace([port({ nodePort: 30080 })])
    const list = () => host.run("sh", "-c", "nft list ruleset | grep -v '^#'")
    const before = await list()
    const other = await host.networks.virtualPorts(network)
    await other.replace([port({ nodePort: 30080 })])
    expect(await list()).toBe(before)
    expect(await other.isThere()).toBe(true)
    await host.run("nft", "flush", "ruleset")
    expect(await other.isThere()).toBe(false)
    await other.replace([port({ nodePort: 30080 })])
    expect(await answers(25, client.peer)).toHaveLength(3)
  })

  // what one more costs is a row of bench/services.ts
  test("with a thousand endpoints take one more, and leave nothing when they go", async () => {
    for (const count of [1000, 1001, 1002]) await ports.change([port({ endpoints: many(count) })])
    expect(await host.run("sh", "-c", "nft list ruleset | grep -c ' 10.244.203'")).not.toBe("0")
    await ports.change([], ["default/web:http"])
    expect(await host.run("sh", "-c", "nft -j list ruleset | grep -c 10.244.203")).toBe("0")
  })
})
