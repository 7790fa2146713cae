/** A network whose members reach each other by the host alone, in real namespaces. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { needPrograms } from "../../../test/support/programs.ts"
import { CLUSTER_NETWORK, clusterNetwork, findClusterNetwork, type ClusterNetwork } from "./cluster-network.ts"
import type { EndpointStatus } from "../../network/network.ts"
import { call, openTestHost, type Peer, type TestHost } from "../../network/test-host.ts"

const skip = process.getuid?.() === 0 ? false : "needs root"
if (skip !== false) console.log(`tests of routed networks skipped: ${skip}`)
else needPrograms("ip", "nft", "nsenter", "ping", "socat", "ss", "timeout", "unshare")

describe.skipIf(skip !== false)("a routed network", () => {
  let host: TestHost
  let network: ClusterNetwork

  beforeAll(async () => {
    host = await openTestHost()
    await host.run(
      "sh",
      "-c",
      "ip link add other type veth peer name other2; ip addr add 10.244.7.1/24 dev other; ip link set other up",
    )
    network = await clusterNetwork(host.networks)
  })
  afterAll(() => host?.[Symbol.dispose]())

  async function member(id: string): Promise<{ peer: Peer; status: EndpointStatus }> {
    const peer = await host.peer()
    const status = await host.networks.setup(network, host.endpoint(peer, id))
    await peer.serve("tcp", 80, id)
    return { peer, status }
  }

  test("of the cluster takes the first ranges that are free, and is made once", async () => {
    expect(network).toMatchObject({
      name: CLUSTER_NETWORK,
      subnet: "10.245.0.0/16",
      options: { virtual: { services: "10.96.0.0/16", balanced: "10.112.0.0/16" } },
    })
    expect(await clusterNetwork(host.networks)).toEqual(network)
    expect(findClusterNetwork(host.networks)).toEqual(network)
    await expect(host.networks.create({ name: "thief", subnet: "10.96.4.0/24" })).rejects.toMatchObject({
      code: "AlreadyExists",
      data: { object: "subnet" },
    })
  })

  test("gives each member an address without neighbours; they reach each other with their own addresses", async () => {
    const [one, two] = [await member("one"), await member("two")]
    expect(await one.peer.run("sh", "-c", "ip -o -4 addr show dev eth0 | awk '{print $4}'")).toBe(
      `${one.status.address}/32`,
    )
    for (const [from, to] of [
      [one, two],
      [two, one],
    ] as const)
      expect(await call("tcp", to.status.address, 80, from.peer)).toEndWith(` ${from.status.address}`)
    // the host tells of no shorter way
    expect(await call("tcp", two.status.address, 80, one.peer)).toStartWith("two ")
    expect(await one.peer.run("sh", "-c", "ip neigh show | grep -v FAILED | wc -l")).toBe("1")
  })

  test("has no way past the host for who asks for one", async () => {
    const [one, two] = [await member("three"), await member("four")]
    await one.peer.run("ip", "route", "add", two.status.address, "dev", "eth0")
    expect(await call("tcp", two.status.address, 80, one.peer)).toBe("closed")
  })

  test("leads a member to itself by a port of the host", async () => {
    const peer = await host.peer()
    const ports = [{ protocol: "tcp" as const, containerPort: 80, hostPort: 8611 }]
    const { address } = await host.networks.setup(network, host.endpoint(peer, "self", { ports }))
    await peer.serve("tcp", 80, "self")
    expect(await call("tcp", network.gateway, 8611, peer)).toStartWith("self ")
    const other = await member("other")
    expect(await call("tcp", network.gateway, 8611, other.peer)).toBe(`self ${other.status.address}`)
    await host.networks.teardown(network, "self".padEnd(64, "0"), undefined)
    expect(await host.run("sh", "-c", `nft list ruleset | grep -c '${address} . ${address}' || true`)).toBe("0")
  })
})
