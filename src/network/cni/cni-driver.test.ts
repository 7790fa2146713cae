/** The distribution's plugins, called as a kubelet calls them, on a host of the test's own. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { needPrograms } from "../../../test/support/programs.ts"
import { eventually } from "../../../test/support/wait.ts"
import { openNetworks } from "../open.ts"
import type { Networks } from "../network.ts"
import { call, openTestHost, type TestHost } from "../test-host.ts"

const skip = process.getuid?.() === 0 ? false : "needs root"
if (skip !== false) console.log(`CNI tests skipped: ${skip}`)
else needPrograms("ip", "iptables", "nsenter", "ping", "socat", "tc", "unshare")

/** host-local keeps its addresses there: names that no host has for its own. */
const network = `skiff-test-${process.pid}`

describe.skipIf(skip !== false)("networks by CNI plugins", () => {
  let host: TestHost
  let networks: Networks
  let directory: string
  const write = (name: string, ...more: object[]): void =>
    writeFileSync(
      join(directory, `${name}.conflist`),
      JSON.stringify({
        cniVersion: "1.0.0",
        name,
        plugins: [
          {
            type: "bridge",
            bridge: "cni-test0",
            isGateway: true,
            ipMasq: false,
            capabilities: { ips: true, mac: true },
            ipam: { type: "host-local", ranges: [[{ subnet: "10.67.0.0/24" }]], routes: [{ dst: "0.0.0.0/0" }] },
          },
          ...more,
        ],
      }),
    )

  beforeAll(async () => {
    host = await openTestHost()
    directory = join(host.runRoot, "net.d")
    mkdirSync(directory)
    write(
      network,
      { type: "portmap", capabilities: { portMappings: true }, snat: true },
      { type: "bandwidth", capabilities: { bandwidth: true } },
    )
    networks = openNetworks({ db: host.db, runRoot: host.runRoot, cniConfigDirectory: directory })
  })
  afterAll(() => {
    host[Symbol.dispose]()
    for (const name of ["", "-plain", "-broken"].map((suffix) => `${network}${suffix}`))
      rmSync(`/var/lib/cni/networks/${name}`, { recursive: true, force: true })
  })

  test("are found by the names in their files, with their ranges", () => {
    expect(networks.list().map(({ name, driver }) => ({ name, driver }))).toContainEqual({
      name: network,
      driver: "cni",
    })
    expect(networks.get(network)).toMatchObject({ subnet: "10.67.0.0/24", bridge: "" })
    expect(networks.get(networks.get(network).id).name).toBe(network)
  })

  test("give a container its interface, its address, its published port and its rate; and take all of it back", async () => {
    const container = await host.peer()
    await container.serve("tcp", 80, "inside")
    const endpoint = host.endpoint(container, "one", {
      ports: [{ protocol: "tcp", hostPort: 8067, containerPort: 80 }],
      address: "10.67.0.40",
      macAddress: "02:00:00:00:67:40",
      rate: { receiveBitsPerSecond: 10_000_000, sendBitsPerSecond: 20_000_000 },
    })
    const status = await networks.setup(networks.get(network), endpoint)
    expect(status).toMatchObject({
      network,
      interface: "eth0",
      address: "10.67.0.40",
      prefixLength: 24,
      gateway: "10.67.0.1",
      macAddress: "02:00:00:00:67:40",
    })
    expect(await container.run("ping", "-c1", "-W2", "10.67.0.1")).toContain(" 0% packet loss")
    const other = await host.peer()
    const { address } = await networks.setup(networks.get(network), host.endpoint(other, "two"))
    expect(await other.run("ping", "-c1", "-W2", "10.67.0.40")).toContain(" 0% packet loss")
    expect(await call("tcp", "10.67.0.1", 8067, other)).toContain("inside")
    expect(await host.run("tc", "qdisc")).toContain("rate 10Mbit")
    const traffic = await networks.traffic(networks.get(network), endpoint.containerId)
    expect(traffic?.receivedBytes).toBeGreaterThan(0)

    await networks.teardown(networks.get(network), endpoint.containerId, status)
    await networks.teardown(networks.get(network), endpoint.containerId, status)
    expect(await container.run("ip", "-o", "link")).not.toContain("eth0")
    expect(existsSync(`/var/lib/cni/networks/${network}/10.67.0.40`)).toBe(false)
    expect(await host.run("iptables", "-t", "nat", "-S")).not.toContain("8067")
    expect(existsSync(`/var/lib/cni/networks/${network}/${address}`)).toBe(true)
  })

  test("that lack a capability refuse what needs it, and leave nothing", async () => {
    write(`${network}-plain`)
    const container = await host.peer()
    const ports = [{ protocol: "tcp" as const, hostPort: 8068, containerPort: 80 }]
    const plain = networks.get(`${network}-plain`)
    await expect(networks.setup(plain, host.endpoint(container, "three", { ports }))).rejects.toThrow(
      "has the capability portMappings",
    )
    expect(await container.run("ip", "-o", "link")).not.toContain("eth0")
  })

  test("whose plugin fails say its words, and undo what went before", async () => {
    const container = await host.peer()
    write(`${network}-broken`, { type: "tuning", sysctl: { "net.ipv4.conf.no_such.thing": "1" } })
    await expect(networks.setup(networks.get(`${network}-broken`), host.endpoint(container, "four"))).rejects.toThrow(
      /CNI plugin tuning of network .* failed at ADD: .*no_such/,
    )
    expect(await container.run("ip", "-o", "link")).not.toContain("eth0")
    write(`${network}-missing`, { type: "no-such-plugin" })
    await expect(networks.setup(networks.get(`${network}-missing`), host.endpoint(container, "four"))).rejects.toThrow(
      'the CNI plugin "no-such-plugin" is not in',
    )
  })

  test("are left by a sweep for containers that are gone", async () => {
    const container = await host.peer()
    const { address } = await networks.setup(networks.get(network), host.endpoint(container, "five"))
    container[Symbol.dispose]()
    await eventually(async () => {
      await networks.sweep(new Set())
      expect(existsSync(`/var/lib/cni/networks/${network}/${address}`)).toBe(false)
    })
  })
})
