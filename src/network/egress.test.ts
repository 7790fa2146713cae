/** Where a confined container may send, between real namespaces: neighbours, the host, and a host outside. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { needPrograms } from "../../test/support/programs.ts"
import { parseEgressRule } from "../spec/docker/egress-rule.ts"
import { NETLINK_NETFILTER, NetlinkSocket, openNetlink } from "../sys/net/netlink.ts"
import { EgressNames } from "./egress/names.ts"
import { kernelNames } from "./names.ts"
import type { EndpointStatus, Network } from "./network.ts"
import { call, openTestHost, type Peer, type TestHost } from "./test-host.ts"

const skip = process.getuid?.() === 0 ? false : "needs root"
if (skip !== false) console.log(`egress tests skipped: ${skip}`)
else needPrograms("ip", "nft", "nsenter", "ping", "socat", "ss", "timeout", "unshare")

const rules = (...texts: string[]) => texts.flatMap(parseEgressRule)

/** How a connection ends: `open`, `refused` (at once) or `silence`. */
const connect = async ({ peer }: { peer: Peer }, address: string, port: number): Promise<string> =>
  await peer.run(
    "sh",
    "-c",
    `socat -u TCP:${address}:${port},connect-timeout=2 - 2>&1 >/dev/null | grep -q refused && echo refused && exit
     timeout 2 socat -u TCP:${address}:${port},connect-timeout=1 - 2>/dev/null | grep -q . && echo open || echo silence`,
  )
const ping = async ({ peer }: { peer: Peer }, address: string): Promise<string> =>
  /Packet filtered|1 received/.exec(await peer.run("sh", "-c", `ping -c1 -W1 ${address}`))?.[0] ?? "silence"

/** What the owner of a name answers who means to fill the host. */
const many = (name: number): { address: string; ttlSeconds: number }[] =>
  Array.from({ length: 4000 }, (_, index) => ({ address: `192.0.${name}.${index % 256}`, ttlSeconds: 3600 + name }))

describe.skipIf(skip !== false)("a container that may send only where it is said", () => {
  let host: TestHost
  let outside: Peer
  let network: Network
  let lastId = 0

  beforeAll(async () => {
    host = await openTestHost()
    outside = await host.peer()
    await host.run("ip", "link", "add", "out0", "type", "veth", "peer", "name", "out1", "netns", `${outside.pid}`)
    await host.run("sh", "-c", "ip addr add 198.51.100.1/24 dev out0; ip link set out0 up")
    await outside.run("sh", "-c", "ip link set lo up; ip addr add 198.51.100.2/24 dev out1; ip link set out1 up")
    await outside.run("ip", "addr", "add", "198.51.100.3/24", "dev", "out1")
    await host.run("ip", "route", "add", "default", "via", "198.51.100.2")
    await host.run("sh", "-c", "ip -6 addr add 2001:db8:5::1/64 dev out0 nodad")
    await outside.run(
      "sh",
      "-c",
      "ip -6 addr add 2001:db8:5::2/64 dev out1 nodad; ip -6 route add default via 2001:db8:5::1",
    )
    for (const port of [9000, 9001]) await outside.serve("tcp", port, `out${port}`)
    for (const port of [9010, 9011]) await outside.serve("tcp", port, `out${port}`, "IPv6")
    await outside.serve("udp", 9000, "outudp")
    network = await host.networks.create({ name: "lan", subnet: "10.65.0.0/24" })
  })
  afterAll(() => host?.[Symbol.dispose]())

  async function member(
    allow: string[] | undefined,
    { ports = [] as number[], on = network } = {},
  ): Promise<{ peer: Peer; status: EndpointStatus; id: string }> {
    const peer = await host.peer()
    const id = `e${++lastId}`.padEnd(64, "0")
    const published = ports.map((hostPort) => ({ protocol: "tcp" as const, containerPort: 80, hostPort }))
    const extra = { ports: published, ...(allow && { allow: rules(...allow) }) }
    const status = await host.networks.setup(on, host.endpoint(peer, id, extra))
    await peer.serve("tcp", 80, id.slice(0, 4))
    return { peer, status, id }
  }

  test("reaches that, and is told of all else at once", async () => {
    const near = await member(undefined)
    const one = await member(["198.51.100.2:9000"])
    expect(await connect(one, "198.51.100.2", 9000)).toBe("open")
    expect(await call("udp", "198.51.100.2", 9000, one.peer)).toStartWith("outudp")
    for (const [address, port] of [
      ["198.51.100.2", 9001],
      ["198.51.100.3", 9000],
      ["198.51.100.1", 22],
      [near.status.address, 80],
      [network.gateway, 80],
    ] as const)
      expect([address, port, await connect(one, address, port)]).toEqual([address, port, "refused"])
    expect(await ping(one, "198.51.100.2")).toBe("Packet filtered")
    expect(await ping(one, near.status.address)).toBe("Packet filtered")
    expect(await ping(near, "198.51.100.2")).toBe("1 received")
  })

  test("answers who speaks to it: neighbours, the host, and outside by a published port", async () => {
    const near = await member(undefined)
    const one = await member([], { ports: [8700] })
    expect(await call("tcp", one.status.address, 80, near.peer)).toStartWith(one.id.slice(0, 4))
    expect(await call("tcp", one.status.address, 80)).toStartWith(one.id.slice(0, 4))
    expect(await call("tcp", "198.51.100.1", 8700, outside)).toBe(`${one.id.slice(0, 4)} 198.51.100.2`)
    expect(await ping(near, one.status.address)).toBe("1 received")
    expect(await connect(one, near.status.address, 80)).toBe("refused")
    expect(await connect(one, "198.51.100.2", 9000)).toBe("refused")
  })

  test("is held the same by IPv6, and by the link's own addresses", async () => {
    const near = await member(undefined)
    const one = await member(["[2001:db8:5::2]:9010"], { ports: [8701] })
    await near.peer.serve("tcp", 81, "near", "IPv6")
    const connect6 = (address: string, port: number): Promise<string> => connect(one, `[${address}]`, port)
    expect(await connect6("2001:db8:5::2", 9010)).toBe("open")
    expect(await connect6("2001:db8:5::2", 9011)).toBe("refused")
    expect(await connect6(near.status.address6 ?? "", 81)).toBe("refused")
    const linkLocal = /inet6 (fe80:\S+)\//.exec(await near.peer.run("ip", "-6", "addr", "show", "dev", "eth0"))?.[1]
    expect(linkLocal).toBeDefined()
    expect(await connect6(`${linkLocal}%eth0`, 81)).not.toBe("open")
    expect(await connect6(network.gateway6 ?? "", 22)).toBe("refused")
    // it answers a neighbour who calls it
    await one.peer.serve("tcp", 82, "own", "IPv6")
    expect(await connect(near, `[${one.status.address6}]`, 82)).toBe("open")
  })

  test("may have ranges that overlap, and what they allow together", async () => {
    const one = await member([":9001", "198.51.100.0/31", "198.51.100.2/icmp"])
    expect(await connect(one, "198.51.100.2", 9001)).toBe("open")
    expect(await connect(one, "198.51.100.2", 9000)).toBe("refused")
    expect(await ping(one, "198.51.100.2")).toBe("1 received")
    expect(await ping(one, "198.51.100.1")).toBe("1 received")
    expect(await ping(one, "198.51.100.3")).toBe("Packet filtered")
  })

  test("is bound by other rules at once, and by none", async () => {
    const one = await member(["198.51.100.2:9000"])
    expect(await connect(one, "198.51.100.2", 9001)).toBe("refused")
    await host.networks.setEgress(network, one.id, rules("198.51.100.2:9001"))
    expect(await connect(one, "198.51.100.2", 9001)).toBe("open")
    expect(await connect(one, "198.51.100.2", 9000)).toBe("refused")
    await host.networks.setEgress(network, one.id, undefined)
    expect(await connect(one, "198.51.100.2", 9000)).toBe("open")
  })

  test("of a network with rules sends what both allow", async () => {
    const strict = await host.networks.create({
      name: "strict",
      subnet: "10.65.1.0/24",
      options: { allow: rules("198.51.100.2:9000-9001") },
    })
    const [one, other] = [
      await member(["198.51.100.2:9001", "198.51.100.3"], { on: strict }),
      await member(undefined, { on: strict }),
    ]
    expect(await connect(one, "198.51.100.2", 9001)).toBe("open")
    expect(await connect(one, "198.51.100.2", 9000)).toBe("refused")
    expect(await connect(one, "198.51.100.3", 9000)).toBe("refused")
    expect(await connect(other, "198.51.100.2", 9000)).toBe("open")
    expect(await connect(other, "198.51.100.3", 9000)).toBe("refused")
  })

  test("leaves nothing in the sets, and its rules come back after they were flushed", async () => {
    const one = await member(["198.51.100.2:9000"])
    await host.run("nft", "flush", "ruleset")
    await host.networks.sweep(new Set([one.id]))
    expect(await connect(one, "198.51.100.2", 9000)).toBe("open")
    expect(await connect(one, "198.51.100.2", 9001)).toBe("refused")
    const [row] = host.db.all<{ name: string }>(
      "SELECT host_interface AS name FROM network_endpoints WHERE container_id = ?",
      one.id,
    )
    const table = `skiff_${network.bridge.slice(2, -1)}`
    const lists = ["set sources", "set confined", "set allowed", "map lifted"]
    const mentions = async (): Promise<boolean> => {
      const texts = lists.map((list) => host.run("nft", "list", ...list.replace(" ", ` bridge ${table} `).split(" ")))
      return (await Promise.all(texts)).some((text) => text.includes(`"${row?.name}"`))
    }
    expect(await mentions()).toBe(true)
    await host.networks.teardown(network, one.id, undefined)
    expect(await mentions()).toBe(false)
  })

  test("hears no more addresses than it may have, whatever a name's owner answers, and the last of them are let through", async () => {
    const { id, peer } = await member(["*.example.test:9000/tcp"])
    const { table } = kernelNames(host.runRoot, false)
    using netfilter = new NetlinkSocket(openNetlink(NETLINK_NETFILTER))
    const names = new EgressNames({ db: host.db, netfilter, table })
    const heard = (): number =>
      host.db.get<{ count: number }>("SELECT count(*) AS count FROM network_heard WHERE container_id = ?", id)?.count ??
      0
    names.hear({ containerId: id, name: "n0.example.test", addresses: many(0) })
    expect(heard()).toBe(32)
    for (let name = 1; name < 40; name++)
      names.hear({ containerId: id, name: `n${name}.example.test`, addresses: many(name) })
    expect(heard()).toBe(1024)
    const elements = await host.run("nft", "list", "set", "bridge", table, "named")
    expect(elements.split("expires").length - 1).toBe(1024)
    expect(elements).toContain(" 192.0.39.1 ")
    expect(elements).not.toContain(" 192.0.0.1 ")
    names.hear({
      containerId: id,
      name: "out.example.test",
      addresses: [{ address: "198.51.100.2", ttlSeconds: 7200 }],
    })
    expect(await connect({ peer }, "198.51.100.2", 9000)).toBe("open")
  })
})
