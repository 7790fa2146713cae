/** Who reaches whom across networks, between real namespaces: containers, and a host on the link outside. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { needPrograms } from "../../test/support/programs.ts"
import type { NetworkOptions } from "./network-options.ts"
import type { EndpointStatus, Network } from "./network.ts"
import { call, openTestHost, type Peer, type TestHost } from "./test-host.ts"

const skip = process.getuid?.() === 0 ? false : "needs root"
if (skip !== false) console.log(`isolation tests skipped: ${skip}`)
else needPrograms("ip", "nft", "nsenter", "ping", "socat", "ss", "timeout", "unshare")

const option = (key: string, value: string): NetworkOptions => ({ driverOptions: { [key]: value } })

describe.skipIf(skip !== false)("networks of one store", () => {
  let host: TestHost
  let outside: Peer
  let lastId = 0

  beforeAll(async () => {
    host = await openTestHost()
    outside = await host.peer()
    await host.run("ip", "link", "add", "out0", "type", "veth", "peer", "name", "out1", "netns", `${outside.pid}`)
    await host.run("sh", "-c", "ip addr add 198.51.100.1/24 dev out0; ip link set out0 up")
    await outside.run("sh", "-c", "ip link set lo up; ip addr add 198.51.100.2/24 dev out1; ip link set out1 up")
    await host.run("ip", "route", "add", "default", "via", "198.51.100.2")
    await outside.run("ip", "route", "add", "10.64.0.0/12", "via", "198.51.100.1")
    await outside.serve("tcp", 9000, "outside")
  })
  afterAll(() => host?.[Symbol.dispose]())

  const network = (name: string, subnet: string, options: NetworkOptions = {}): Promise<Network> =>
    host.networks.create({ name, subnet, options })

  /** A container that answers on port 80. */
  async function member(
    on: Network,
    ports: number[] = [],
  ): Promise<{ peer: Peer; status: EndpointStatus; id: string }> {
    const peer = await host.peer()
    const id = `e${++lastId}`
    const published = ports.map((hostPort) => ({ protocol: "tcp" as const, containerPort: 80, hostPort }))
    const status = await host.networks.setup(on, host.endpoint(peer, id, { ports: published }))
    await peer.serve("tcp", 80, id)
    return { peer, status, id }
  }
  test("are apart: neither an address nor the other's gateway answers, a published port does", async () => {
    const [one, two] = [await network("one", "10.64.0.0/24"), await network("two", "10.64.1.0/24")]
    const [from, to, near] = [await member(one), await member(two, [8600]), await member(one)]
    expect(await call("tcp", near.status.address, 80, from.peer)).toBe(`${near.id} ${from.status.address}`)
    expect(await call("tcp", to.status.address, 80, from.peer)).toBe("closed")
    const answers = (address: string): Promise<string> =>
      from.peer.run("sh", "-c", `ping -c1 -W1 ${address} >/dev/null && echo answers`)
    expect(await answers(one.gateway)).toBe("answers")
    expect(await answers(two.gateway)).toBe("")
    expect(await answers(to.status.address)).toBe("")
    for (const gateway of [one.gateway, two.gateway])
      expect(await call("tcp", gateway, 8600, from.peer)).toStartWith(`${to.id} `)
    // a host on the link may route to containers by us, and reaches none
    expect(await call("tcp", to.status.address, 80, outside)).toBe("closed")
    expect(await call("tcp", "198.51.100.1", 8600, outside)).toBe(`${to.id} 198.51.100.2`)
  })

  test("of which one is internal: it has no way out or in, but for its own members and the host", async () => {
    const inner = await network("inner", "10.64.2.0/24", { internal: true })
    const open = await network("open", "10.64.3.0/24")
    const [hidden, near, other] = [await member(inner), await member(inner), await member(open, [8601])]
    expect(await hidden.peer.run("ip", "route", "show", "default")).toBe("")
    // whoever has the right to may make one for himself
    await hidden.peer.run("ip", "route", "add", "default", "via", inner.gateway)
    expect(await call("tcp", near.status.address, 80, hidden.peer)).toStartWith(near.id)
    for (const [address, port] of [
      ["198.51.100.2", 9000],
      [other.status.address, 80],
      [inner.gateway, 8601],
      ["198.51.100.1", 8601],
    ] as const)
      expect([address, await call("tcp", address, port, hidden.peer)]).toEqual([address, "closed"])
    for (const from of [outside, other.peer]) expect(await call("tcp", hidden.status.address, 80, from)).toBe("closed")
    expect(await call("tcp", hidden.status.address, 80)).toStartWith(hidden.id)
    await expect(member(inner, [8602])).rejects.toMatchObject({ code: "FailedPrecondition", field: "ports" })
  })

  test("with enable_icc=false: members reach the outside and published ports, and not each other", async () => {
    const shy = await network("shy", "10.64.4.0/24", option("com.docker.network.bridge.enable_icc", "false"))
    const [one, other] = [await member(shy), await member(shy, [8603])]
    expect(await call("tcp", "198.51.100.2", 9000, one.peer)).toBe("outside 198.51.100.1")
    expect(await call("tcp", shy.gateway, 8603, one.peer)).toStartWith(`${other.id} `)
    expect(await call("tcp", other.status.address, 80, one.peer)).toBe("closed")
    // nor by way of the host
    await one.peer.run("sh", "-c", `ip route flush dev eth0; ip route add ${shy.gateway} dev eth0`)
    await one.peer.run("ip", "route", "add", "default", "via", shy.gateway)
    expect(await call("tcp", "198.51.100.2", 9000, one.peer)).toBe("outside 198.51.100.1")
    expect(await call("tcp", other.status.address, 80, one.peer)).toBe("closed")
  })

  test("with enable_ip_masquerade=false: a member is seen outside by its own address", async () => {
    const bare = await network(
      "bare",
      "10.64.5.0/24",
      option("com.docker.network.bridge.enable_ip_masquerade", "false"),
    )
    const one = await member(bare)
    expect(await call("tcp", "198.51.100.2", 9000, one.peer)).toBe(`outside ${one.status.address}`)
    expect(await call("tcp", one.status.address, 80, outside)).toBe("closed")
  })

  test("with isolate=false: reached from one with isolate=true, and from no strict one", async () => {
    const open = await network("loose", "10.64.6.0/24", option("isolate", "false"))
    const closed = await network("closed", "10.64.7.0/24", option("isolate", "true"))
    const strict = await network("strict", "10.64.8.0/24", option("isolate", "strict"))
    const [a, b, c] = [await member(open), await member(closed), await member(strict)]
    expect(await call("tcp", a.status.address, 80, b.peer)).toBe(`${a.id} ${b.status.address}`)
    expect(await call("tcp", b.status.address, 80, a.peer)).toBe(`${b.id} ${a.status.address}`)
    for (const from of [a.peer, b.peer]) expect(await call("tcp", c.status.address, 80, from)).toBe("closed")
    expect(await call("tcp", a.status.address, 80, c.peer)).toBe("closed")
  })

  test("come and go as elements, and no rule is written for them", async () => {
    const [{ table = "" } = {}] = (
      JSON.parse(await host.run("nft", "-j", "list", "tables")) as { nftables: { table?: { name: string } }[] }
    ).nftables.flatMap(({ table: found }) => (found === undefined ? [] : [{ table: found.name }]))
    const rules = async (): Promise<string> => {
      const texts = [await host.run("nft", "-a", "list", "table", "inet", table)]
      texts.push(await host.run("nft", "-a", "list", "table", "bridge", table))
      return texts.join("\n").replaceAll(/elements = \{[^}]*\}/g, "")
    }
    const before = await rules()
    const brief = await network("brief", "10.64.9.0/24")
    const one = await member(brief)
    expect(await host.run("nft", "list", "set", "inet", table, "subnets")).toContain("10.64.9.0/24")
    expect(await call("tcp", "198.51.100.2", 9000, one.peer)).toBe("outside 198.51.100.1")
    await host.networks.teardown(brief, one.id.padEnd(64, "0"), undefined)
    await host.networks.remove(brief)
    expect(await host.run("nft", "list", "table", "inet", table)).not.toContain("10.64.9.")
    expect(await rules()).toBe(before)
  })
})
