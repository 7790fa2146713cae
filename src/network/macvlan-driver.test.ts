/** Networks on an interface of the host, whose other end is in a namespace that stands for the rest of its network. */
import { afterAll, beforeAll, describe, expect } from "bun:test"
import { needPrograms } from "../../test/support/programs.ts"
import { eventually } from "../../test/support/wait.ts"
import { testUnless } from "../../test/support/store.ts"
import { run } from "../sys/process/process.ts"
import { insertNetwork } from "./network-records.ts"
import type { Network } from "./network.ts"
import { parseIpv4Range } from "./ipv4.ts"
import { openTestHost, type Peer, type TestHost } from "./test-host.ts"

const skip = process.getuid?.() === 0 ? false : "needs root"
if (skip !== false) console.log(`macvlan tests skipped: ${skip}`)
else needPrograms("ip", "nsenter", "ping", "unshare")

/** Why the kernel has no links of this kind, or false. */
async function lacks(kind: string, ...words: string[]): Promise<string | false> {
  const script = `ip link add p type veth peer name q && ip link add link p name try type ${kind} ${words.join(" ")}`
  const { code } = await run(["unshare", "-n", "sh", "-c", script])
  return code === 0 ? false : `no ${kind} in this kernel`
}

const lacking =
  skip === false
    ? { macvlan: await lacks("macvlan"), ipvlan: await lacks("ipvlan"), vlan: await lacks("vlan", "id", "9") }
    : undefined
const testWith = (kind: "macvlan" | "ipvlan" | "vlan") => testUnless(lacking?.[kind] ?? "needs root")

describe.skipIf(skip !== false)("networks on an interface of the host", () => {
  let host: TestHost
  /** A network on an interface of its own, and who is at the other end of that. */
  const network = async (name: string, wanted: Partial<Network> = {}): Promise<{ lan: Network; neighbour: Peer }> => {
    const neighbour = await host.peer()
    await host.run("ip", "link", "add", name, "type", "veth", "peer", "name", "far", "netns", String(neighbour.pid))
    await neighbour.run("ip", "addr", "add", "10.66.0.1/24", "dev", "far")
    await neighbour.run("ip", "link", "set", "far", "up")
    const range = parseIpv4Range("10.66.0.0/24")
    return { neighbour, lan: insertNetwork(host.db, { name, driver: "macvlan", bridge: name, range, ...wanted }) }
  }

  beforeAll(async () => {
    host = await openTestHost()
  })
  afterAll(() => host[Symbol.dispose]())

  testWith("macvlan")(
    "a container of macvlan is a neighbour of what is behind the interface, with its own hardware address",
    async () => {
      const { lan, neighbour } = await network("lan")
      const container = await host.peer()
      const status = await host.networks.setup(lan, host.endpoint(container, "one"))
      expect(status).toMatchObject({
        network: "lan",
        interface: "eth0",
        prefixLength: 24,
        gateway: "10.66.0.1",
        ports: [],
      })
      expect(await container.run("ping", "-c1", "-W2", "10.66.0.1")).toContain(" 0% packet loss")
      expect(await neighbour.run("ping", "-c1", "-W2", status.address)).toContain(" 0% packet loss")
      expect(await neighbour.run("ip", "neigh", "show", status.address)).toContain(status.macAddress)
      expect(await container.run("ip", "route", "show", "default")).toContain("via 10.66.0.1 dev eth0")
      // a second one reaches the first by the interface's own bridge mode
      const other = await host.peer()
      await host.networks.setup(lan, host.endpoint(other, "two"))
      expect(await other.run("ping", "-c1", "-W2", status.address)).toContain(" 0% packet loss")
      await host.networks.teardown(lan, "one".padEnd(64, "0"), status)
      await host.networks.teardown(lan, "one".padEnd(64, "0"), status)
      expect(await host.run("ip", "link", "show", "lan")).toContain("lan")
    },
  )

  testWith("macvlan")("what a network on an interface cannot do is refused by name, and nothing is left", async () => {
    const { lan } = await network("strict")
    const container = await host.peer()
    const refused = (extra: object) => host.networks.setup(lan, host.endpoint(container, "three", extra))
    await expect(refused({ rate: { sendBitsPerSecond: 1 } })).rejects.toThrow("the host does not see what it carries")
    await expect(refused({ refuse: [{ kind: "all" }] })).rejects.toThrow("nothing can be refused")
    await expect(refused({ address: "10.66.0.1" })).rejects.toThrow("cannot be given")
    expect(await container.run("ip", "-o", "link")).not.toContain("eth0")
    const { lan: lost } = await network("lost", {
      bridge: "nowhere",
      options: { driverOptions: { parent: "nowhere" } },
    })
    await expect(host.networks.setup(lost, host.endpoint(container, "three"))).rejects.toThrow(
      'interface "nowhere", on which network "lost" stands, is not on this host',
    )
    const { lan: wrong } = await network("wrong", { options: { driverOptions: { mode: "loud" } } })
    await expect(host.networks.setup(wrong, host.endpoint(container, "three"))).rejects.toThrow('invalid value "loud"')
    expect(host.db.all("SELECT * FROM network_endpoints WHERE container_id LIKE 'three%'")).toEqual([])
  })

  testWith("macvlan")("an internal one has no default route", async () => {
    const container = await host.peer()
    const { lan } = await network("inner", { options: { internal: true } })
    await host.networks.setup(lan, host.endpoint(container, "four"))
    expect(await container.run("ip", "route", "show", "default")).toBe("")
  })

  testWith("macvlan")("a sweep frees the addresses of containers that are gone, and no others", async () => {
    const { lan } = await network("swept")
    const [gone, here] = [await host.peer(), await host.peer()]
    await host.networks.setup(lan, host.endpoint(gone, "five"))
    await host.networks.setup(lan, host.endpoint(here, "six"))
    gone[Symbol.dispose]()
    const sql = "SELECT rtrim(container_id, '0') AS id FROM network_endpoints WHERE network_id = ?"
    // the end of a killed process takes a moment
    await eventually(async () => {
      await host.networks.sweep(new Set())
      expect(host.db.all(sql, lan.id)).toEqual([{ id: "six" }])
    })
  })

  testWith("ipvlan")("ipvlan shares its parent's hardware address", async () => {
    const container = await host.peer()
    const { lan: ip } = await network("ip", { driver: "ipvlan" })
    const status = await host.networks.setup(ip, host.endpoint(container, "seven"))
    expect(status.macAddress).toBe("")
    expect(await container.run("ping", "-c1", "-W2", "10.66.0.1")).toContain(" 0% packet loss")
    await expect(
      host.networks.setup(ip, host.endpoint(container, "eight", { macAddress: "02:00:00:00:00:08" })),
    ).rejects.toThrow("ipvlan has its parent's")
  })

  testWith("vlan")("a VLAN of an interface is made when a container needs it", async () => {
    const container = await host.peer()
    const { lan } = await network("tagged", { bridge: "tagged.10" })
    await host.networks.setup(lan, host.endpoint(container, "nine"))
    expect(await host.run("ip", "-d", "link", "show", "tagged.10")).toContain("id 10")
  })
})
